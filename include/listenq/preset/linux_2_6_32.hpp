// SPDX-License-Identifier: BSL-1.0
// Linux 2.6.32 as a composition: as 3.12, with a first timeout of 3 s, a duplicate SYN that restarts nothing, SYN with
// FIN accepted, and next to no counters. No logic, only answers. The second article reads this kernel, the first one's
// traces were taken on its like.
//
// Sources: net/ipv4/{inet_connection_sock,tcp_ipv4,tcp_minisocks,syncookies}.c, net/core/request_sock.c of 2.6.32.0.
// Sysctl defaults: somaxconn 128, tcp_max_syn_backlog 1024 (128 on small machines), tcp_syncookies 0 (many
// distributions set 1), tcp_synack_retries 5, tcp_abort_on_overflow 0.
// Not in it yet: the 16-bit backlog (listen(65536) stored 0).
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using linux_2_6_32 =
    listener<clamp<to_somaxconn>,  // SYSCALL_DEFINE2(listen)
             sizing<sized_once<pipeline<at_most<tunable::max_syn_backlog>, at_least<8>, plus<1>, roundup_pow_of_two>>>,
             // reqsk_queue_alloc
             waiting<backlog_plus_one>,                // sk_acceptq_is_full: A > N
             schedule<from_3s>, pressure<half_table>,  // inet_csk_reqsk_queue_prune, TCP_TIMEOUT_INIT
             clockwork<sweep<200 * millisecond>>,      // TCP_SYNQ_INTERVAL
             admission<linux_gates>,                   // tcp_v4_conn_request
             request_full<drop>, accept_full_at_syn<drop_if_young<1>>,
             accept_full_at_ack<abort_if_tuned>,                     // tcp_check_req
             cookies<under_pressure_if_tuned<linux_2_6_32_cookie>>,  // tcp_v4_conn_request, cookie_v4_check
             validation<linux_validation<linux_era::v2_6_32>>, deferral<defer_accept<3 * second>>,
             counters<linux_counters<linux_era::v2_6_32>>, offer<linux_loopback_offer>, closing<forget_requests>,
             send_failure<fatal>, aborted_child<returned>, icmp<linux_icmp<linux_era::v2_6_32>>, child<handles<>>,
             tunables<defaults<tuned<tunable::somaxconn, 128>, tuned<tunable::max_syn_backlog, 1024>,
                               tuned<tunable::syncookies, 0>, tuned<tunable::synack_retries, 5>,
                               tuned<tunable::abort_on_overflow, 0>>>>;

static_assert(linux_2_6_32::bytes_per_request <= 64);

}  // namespace listenq::preset
