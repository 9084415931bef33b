// SPDX-License-Identifier: BSL-1.0
// HP-UX 11.11 as a composition: fitted. No logic, only answers.
//
// Source: UNP vol. 1, figure 4.10, column HP-UX 11.11: max(1, 3N/2) in all its 15 rows. `three_halves` is a formula
// that yields them and nothing more; how HP-UX came to them is not known.
//
// Unverified: everything else, ICMP errors included. No source was read: the bound on requests (1024), that a SYN is
// dropped while the accept queue is full, the schedule, the answers at a request.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using hpux = listener<
    clamp<negative_to_zero>, sizing<pipeline<exactly<1024>>>, waiting<three_halves>, schedule<from_3s>,
    pressure<no_pressure>, clockwork<exact<>>,
    admission<in_order<gates::known_request, gates::accept_queue, gates::strict_request_queue, gates::refusal>>,
    request_full<drop>, accept_full_at_syn<drop>, accept_full_at_ack<keep>, validation<rfc793_validation>,
    counters<no_counters>, closing<forget_requests>, send_failure<harmless>, aborted_child<reported>,
    icmp<icmp_ignored>, child<handles<>>,
    tunables<defaults<tuned<tunable::somaxconn, 128>, tuned<tunable::synack_retries, 5>>>>;

}  // namespace listenq::preset
