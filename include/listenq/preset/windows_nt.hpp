// SPDX-License-Identifier: BSL-1.0
// Windows NT 4 Server as a composition: a SYN that finds the backlog full gets a RST. No logic, only answers.
//
// Sources: Microsoft's KB113576 (a SYN beyond the backlog is answered by RST, the client is expected to try again),
// KB127144 (at most 200; NT 4 Workstation 5, NT 3.5 100), and the Windows network developers' blog of 2005-12-09
// (Winsock is asked when the SYN comes, so a half-open connection has its place from then on).
//
// Unverified: what an ICMP error does (nothing is assumed); what zero and negative numbers mean (1 is assumed), the
// schedule (from 3 s, five times), the answers at a request (RFC 793's are assumed).
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using windows_nt =
    listener<clamp<up_to<200, 1>>, sizing<pipeline<>>, waiting<sum_to_backlog>, schedule<doubling<3 * second, 5>>,
             pressure<no_pressure>, clockwork<exact<>>,
             admission<in_order<gates::known_request, gates::accept_queue, gates::refusal>>, accept_full_at_syn<reset>,
             accept_full_at_ack<reset>, validation<rfc793_validation>, counters<no_counters>, closing<abort_requests>,
             send_failure<harmless>, icmp<icmp_ignored>, child<handles<>>>;

}  // namespace listenq::preset
