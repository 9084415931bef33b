// SPDX-License-Identifier: BSL-1.0
// Windows Server 2003 SP1, with its SYN-attack protection, as a composition: the handshake is finished first, and then
// a full backlog resets the connection. No logic, only answers.
//
// Source: the Windows network developers' blog of 2005-12-09: with the protection, which is on since SP1, the three-way
// handshake completes; connect() succeeds and the next call finds WSAECONNRESET.
//
// Unverified: what an ICMP error does (nothing is assumed); the clamp (NT 4's), how many requests fit (1000), the
// schedule (two retries from 3 s), the answers at a request (RFC 793's are assumed).
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using windows_2003 =
    listener<clamp<up_to<200, 1>>, sizing<pipeline<exactly<1000>>>, waiting<exactly_backlog>,
             schedule<doubling<3 * second, 2>>, pressure<no_pressure>, clockwork<exact<>>,
             admission<in_order<gates::known_request, gates::strict_request_queue, gates::refusal>>, request_full<drop>,
             accept_full_at_syn<admit>, accept_full_at_ack<reset>, validation<rfc793_validation>, counters<no_counters>,
             closing<abort_requests>, send_failure<harmless>, icmp<icmp_ignored>, child<handles<>>>;

}  // namespace listenq::preset
