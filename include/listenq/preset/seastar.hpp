// SPDX-License-Identifier: BSL-1.0
// Seastar's native stack as a composition: a full listener answers like a closed port. No logic, only answers.
//
// Sources: include/seastar/net/tcp.hh (listener::full: pending + ready >= queue length, received_segment: RST
// otherwise; SYN-ACK five times from 1 s), net/api.hh (100 when nobody says a number) of 525fcc86e (2026-08-04).
//
// Unverified: what an ICMP error does (nothing is assumed); the answers at a request but for a SYN in the window (RST).
//
// Not in it, on purpose: its count of half-open connections falls only when one succeeds, so that a hundred failed
// handshakes close the port for good (a TODO there). Here every way out gives the place back.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using seastar =
    listener<clamp<as_is>, sizing<pipeline<>>,  // no bound of its own: the sum closes first
             waiting<sum_to_backlog>,           // listener::full
             schedule<doubling<1 * second, 5>>, pressure<no_pressure>, clockwork<exact<>>,
             admission<in_order<gates::known_request, gates::accept_queue, gates::refusal>>, accept_full_at_syn<reset>,
             accept_full_at_ack<reset>, validation<rfc793_validation>, counters<no_counters>, closing<abort_requests>,
             send_failure<harmless>, icmp<icmp_ignored>, child<handles<>>>;

}  // namespace listenq::preset
