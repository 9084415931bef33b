// SPDX-License-Identifier: BSL-1.0
// Linux 5.15 as a composition: "full" is Q >= N as in 4.4, and a SYN is dropped whenever the accept queue is full. No
// logic, only answers.
//
// Sources: the texts of the commits ef547f2ac16b (4.4: Q >= N), 5ea8ea2cb7f1 (4.10: no young rule), 3479c7549fb1
// (January 2025: Q > N; stable 5.15.y has it from then on, so this is 5.15 as it came out) and 19f92a030ca6 (5.4:
// somaxconn 4096).
//
// Unverified: 5.15's own source was not read. What the commits do not say is 6.18's, but for the answers to RST and to
// echoed timestamps, which are 3.12's.
//
// Not in it: migration (tcp_migrate_req, 5.14), fast open.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using linux_5_15 = listener<
    clamp<to_somaxconn>, sizing<pipeline<>>, waiting<backlog_plus_one>, schedule<from_1s>, pressure<half_backlog>,
    clockwork<exact<tie_order::newest_first>>, admission<linux_gates>, request_full<drop>, accept_full_at_syn<drop>,
    accept_full_at_ack<abort_if_tuned>, cookies<cookies_if_tuned<linux_6_18_cookie>>,
    validation<linux_validation<linux_era::v4_4>>, deferral<defer_accept<>>, counters<linux_counters<linux_era::v6_18>>,
    offer<linux_6_18_offer>, closing<leave_to_timer>, send_failure<fatal_when_resent>, aborted_child<returned>,
    icmp<linux_icmp<linux_era::v4_4>>, child<handles<>>,
    tunables<
        defaults<tuned<tunable::somaxconn, 4096>, tuned<tunable::max_syn_backlog, 2048>, tuned<tunable::syncookies, 1>,
                 tuned<tunable::synack_retries, 5>, tuned<tunable::abort_on_overflow, 0>>>>;

}  // namespace listenq::preset
