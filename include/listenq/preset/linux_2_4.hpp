// SPDX-License-Identifier: BSL-1.0
// Linux 2.4.7 as a composition: what UNP's figure 4.10 was measured on. No logic, only answers.
//
// Sources: UNP vol. 1, figure 4.10, column Linux 2.4.7 (N + 3: N + 1 wait, and two young requests are admitted although
// the accept queue is full; their connect() has returned). What makes those two was read in tcp_v4_conn_request and
// inet_csk_reqsk_queue_prune of 2.6.32; openresty-systemtap-toolkit#9 says of 2.6.18 that max_syn_backlog alone, from
// 64 on, sizes the table.
//
// Unverified: everything else; 2.4's source was not read. It is taken to be 2.6.32 but for the table.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using linux_2_4 =
    listener<clamp<to_somaxconn>,
             sizing<sized_once<pipeline<exactly<tunable::max_syn_backlog>, at_least<64>, roundup_pow_of_two>>>,
             waiting<backlog_plus_one>, schedule<from_3s>, pressure<half_table>, clockwork<sweep<200 * millisecond>>,
             admission<linux_gates>, request_full<drop>, accept_full_at_syn<drop_if_young<1>>,
             accept_full_at_ack<abort_if_tuned>, validation<linux_validation<linux_era::v2_6_32>>,
             counters<linux_counters<linux_era::v2_6_32>>, offer<linux_loopback_offer>, closing<forget_requests>,
             send_failure<fatal>, aborted_child<returned>, icmp<linux_icmp<linux_era::v2_6_32>>, child<handles<>>,
             tunables<defaults<tuned<tunable::somaxconn, 128>, tuned<tunable::max_syn_backlog, 1024>,
                               tuned<tunable::syncookies, 0>, tuned<tunable::synack_retries, 5>,
                               tuned<tunable::abort_on_overflow, 0>>>>;

}  // namespace listenq::preset
