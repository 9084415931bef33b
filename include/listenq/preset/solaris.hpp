// SPDX-License-Identifier: BSL-1.0
// Solaris 2.9 as a composition, as far as one column of a figure says. No logic, only answers.
//
// Source: UNP vol. 1, figure 4.10, column Solaris 2.9: 3N/2 and one more in 14 of its 15 rows; for listen(4) the figure
// has 6 where this has 7. (TCP/IP Illustrated vol. 1, figure 18.23, has N for Solaris 2.2: another system.)
//
// Unverified: everything else, ICMP errors included. No source was read: the bound on requests (1024), that a SYN is
// dropped while the accept queue is full, the schedule, the answers at a request.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using solaris = listener<
    clamp<negative_to_zero>, sizing<pipeline<exactly<1024>>>, waiting<three_halves_plus_one>, schedule<from_3s>,
    pressure<no_pressure>, clockwork<exact<>>,
    admission<in_order<gates::known_request, gates::accept_queue, gates::strict_request_queue, gates::refusal>>,
    request_full<drop>, accept_full_at_syn<drop>, accept_full_at_ack<keep>, validation<rfc793_validation>,
    counters<no_counters>, closing<forget_requests>, send_failure<harmless>, aborted_child<reported>,
    icmp<icmp_ignored>, child<handles<>>,
    tunables<defaults<tuned<tunable::somaxconn, 128>, tuned<tunable::synack_retries, 5>>>>;

}  // namespace listenq::preset
