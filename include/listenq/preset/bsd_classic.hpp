// SPDX-License-Identifier: BSL-1.0
// 4.4BSD as a composition: every SYN makes a socket, and both queues together may hold 3N/2, and one more. No logic,
// only answers.
//
// Sources: sonewconn of 4.4BSD's descendants (q + q0 > 3 N / 2); UNP vol. 1, figure 4.10, column Mac OS 10.2.6 and
// AIX 5.1; TCP/IP Illustrated vol. 1, figure 18.23 (backlog 0..5: 1 2 4 5 7 8). SYNs go out at 0, 6 and 30 s and it
// gives up at 75 s (Banga and Druschel, USITS '97); SYN-ACKs hang on the same timer.
//
// Unverified: what an ICMP error does (nothing is assumed); the answers at a request (RFC 793's are assumed),
// close. 4.4BSD itself had SOMAXCONN 5; 128 lets the figure's systems be told apart.
//
// Not in it: counters.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using bsd_classic = listener<
    clamp<negative_to_zero>, sizing<pipeline<times<3, 2>, plus<1>>>,  // no bound of its own: the sum closes first
    waiting<sum_to_three_halves_plus_one>,                            // sonewconn
    schedule<listed<6 * second, 24 * second, 45 * second>>,           // TCPTV_KEEP_INIT 75 s
    pressure<no_pressure>, clockwork<exact<>>,
    admission<in_order<gates::known_request, gates::accept_queue, gates::refusal>>, accept_full_at_syn<drop>,
    accept_full_at_ack<forget>,  // never asked: who has a socket finds room
    validation<rfc793_validation>, counters<no_counters>, closing<abort_requests>, send_failure<harmless>,
    aborted_child<reported>, icmp<icmp_ignored>, child<handles<>>, tunables<defaults<tuned<tunable::somaxconn, 128>>>>;

}  // namespace listenq::preset
