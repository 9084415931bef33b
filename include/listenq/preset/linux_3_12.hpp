// SPDX-License-Identifier: BSL-1.0
// Linux 3.12 as a composition: a hash table of requests for each listener, swept by a hand. No logic, only answers.
// This is the kernel that the first article reads.
//
// Sources: net/ipv4/{inet_connection_sock,tcp_ipv4,tcp_minisocks}.c, net/core/request_sock.c, include/net/
// {sock,request_sock}.h, net/ipv4/syncookies.c of 3.12.0. Sysctl defaults: somaxconn 128, tcp_max_syn_backlog 1024 (it
// grows with memory), tcp_syncookies 1, tcp_synack_retries 5, tcp_abort_on_overflow 0, tcp_fastopen 0. Fast-open
// cookies are SipHash where the kernel has AES. The hash is SipHash where the kernel has jhash: the bucket of a given
// peer is another, the distribution is the same.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using linux_3_12 =
    listener<clamp<to_somaxconn>,  // SYSCALL_DEFINE2(listen)
             sizing<sized_once<pipeline<at_most<tunable::max_syn_backlog>, at_least<8>, plus<1>, roundup_pow_of_two>>>,
             // reqsk_queue_alloc; full when Q has reached the buckets
             waiting<backlog_plus_one>,                // sk_acceptq_is_full: A > N
             schedule<from_1s>, pressure<half_table>,  // inet_csk_reqsk_queue_prune
             clockwork<sweep<200 * millisecond>>,      // TCP_SYNQ_INTERVAL
             admission<linux_gates>,                   // tcp_v4_conn_request
             request_full<drop>, accept_full_at_syn<drop_if_young<1>>,
             accept_full_at_ack<abort_if_tuned>,            // tcp_check_req
             cookies<cookies_if_tuned<linux_3_12_cookie>>,  // tcp_syn_flood_action, cookie_v4_check
             validation<linux_validation<linux_era::v3_12>>, deferral<defer_accept<>>,
             fast_open<linux_fast_open<linux_era::v3_12>>,  // tcp_fastopen_check
             counters<linux_counters<linux_era::v3_12>>, offer<linux_loopback_offer>, closing<forget_requests>,
             send_failure<fatal>, aborted_child<returned>, icmp<linux_icmp<linux_era::v3_12>>, child<handles<>>,
             tunables<defaults<tuned<tunable::somaxconn, 128>, tuned<tunable::max_syn_backlog, 1024>,
                               tuned<tunable::syncookies, 1>, tuned<tunable::synack_retries, 5>,
                               tuned<tunable::abort_on_overflow, 0>, tuned<tunable::fastopen, 0>>>>;

static_assert(linux_3_12::bytes_per_request <= 64);

}  // namespace listenq::preset
