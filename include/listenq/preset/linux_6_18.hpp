// SPDX-License-Identifier: BSL-1.0
// Linux 6.18 as a composition: the lockless listener with a timer for each request. No logic, only answers.
//
// Sources: net/socket.c, net/ipv4/{af_inet,inet_connection_sock,tcp_input,tcp_minisocks,syncookies}.c of 6.18.24, and
// recordings of 6.18.44, which win where they differ (RST at a request: challenge ACK unless exact).
// Sysctl defaults: somaxconn 4096, tcp_max_syn_backlog 2048 (it grows with memory: this is the recorded machine),
// tcp_syncookies 1, tcp_synack_retries 5, tcp_abort_on_overflow 0.
// SO_REUSEPORT and net.ipv4.tcp_migrate_req: group.hpp, with this preset for members.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using linux_6_18 =
    listener<clamp<to_somaxconn>,                             // __sys_listen_socket
             sizing<pipeline<plus<1>>>,                       // inet_csk_reqsk_queue_is_full: Q > N
             waiting<backlog_plus_one>,                       // sk_acceptq_is_full: A > N
             schedule<from_1s>, pressure<half_backlog>,       // reqsk_timer_handler
             clockwork<exact<tie_order::newest_first>>,       // a timer each; wheel slots are stacks
             admission<linux_gates>,                          // tcp_conn_request
             request_full<drop>, accept_full_at_syn<drop>,    // since 4.10: dropped whenever A > N
             accept_full_at_ack<abort_if_tuned>,              // tcp_check_req
             cookies<cookies_if_tuned<linux_6_18_cookie>>,    // tcp_syn_flood_action, cookie_v4_check
             validation<linux_validation<linux_era::v6_18>>,  // tcp_check_req
             deferral<defer_accept<>>,                        // syn_ack_recalc
             fast_open<linux_fast_open<linux_era::v6_18>>,    // tcp_try_fastopen
             counters<linux_counters<linux_era::v6_18>>, offer<linux_6_18_offer>, closing<leave_to_timer>,
             icmp<linux_icmp<linux_era::v6_18>>,  // tcp_v4_err
             send_failure<fatal_when_resent>, aborted_child<returned>, child<handles<>>,
             tunables<defaults<tuned<tunable::somaxconn, 4096>, tuned<tunable::max_syn_backlog, 2048>,
                               tuned<tunable::syncookies, 1>, tuned<tunable::synack_retries, 5>,
                               tuned<tunable::abort_on_overflow, 0>, tuned<tunable::fastopen, 1>>>>;

static_assert(linux_6_18::bytes_per_request <= 64);

}  // namespace listenq::preset
