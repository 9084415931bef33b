// SPDX-License-Identifier: BSL-1.0
// Linux 4.4 as a composition: the first lockless listener, "full" is Q >= N, and the young rule of old. No logic, only
// answers.
//
// Sources: the texts of the commits ef547f2ac16b (4.4, max_qlen_log goes: Q >= N), 3479c7549fb1 (January 2025: Q > N
// again, and why: listen(0) without cookies admits nobody), 5ea8ea2cb7f1 (4.10: the young rule goes, so 4.4 has it) and
// c609e6a (A > N stays). Sysctl defaults: somaxconn 128, tcp_max_syn_backlog 1024 (it grows with memory).
//
// Unverified: 4.4's own source was not read. Timers, deferral, close are taken from 6.18; the answers at a request are
// 3.12's with 6.18's rate limit (4.0); counters are 6.18's; cookies are those of 6.18 (4.4 hashed with SHA-1, and in
// which release their life became two minutes is not known).
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using linux_4_4 = listener<clamp<to_somaxconn>, sizing<pipeline<>>, waiting<backlog_plus_one>, schedule<from_1s>,
                           pressure<half_backlog>, clockwork<exact<tie_order::newest_first>>, admission<linux_gates>,
                           request_full<drop>, accept_full_at_syn<drop_if_young<1>>, accept_full_at_ack<abort_if_tuned>,
                           cookies<cookies_if_tuned<linux_6_18_cookie>>, validation<linux_validation<linux_era::v4_4>>,
                           deferral<defer_accept<>>, counters<linux_counters<linux_era::v6_18>>,
                           offer<linux_6_18_offer>, closing<leave_to_timer>, send_failure<fatal_when_resent>,
                           aborted_child<returned>, icmp<linux_icmp<linux_era::v4_4>>, child<handles<>>,
                           tunables<defaults<tuned<tunable::somaxconn, 128>, tuned<tunable::max_syn_backlog, 1024>,
                                             tuned<tunable::syncookies, 1>, tuned<tunable::synack_retries, 5>,
                                             tuned<tunable::abort_on_overflow, 0>>>>;

}  // namespace listenq::preset
