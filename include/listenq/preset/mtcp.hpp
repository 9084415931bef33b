// SPDX-License-Identifier: BSL-1.0
// mTCP as a composition: the backlog bounds the accept queue alone, and the pool of flows everything. No logic, only
// answers.
//
// Sources: mtcp/src/api.c (mtcp_listen: at most max_concurrency), tcp_in.c (no stream left: RST; accept queue full at
// the final ACK: the stream is closed as TCP_NOT_ACCEPTED and gets a RST), timer.c (500 ms, sixteen times, doubling
// seven times) of 0463aad5 (2019-11-17). max_concurrency is configured; 10,000 here.
//
// Unverified: what an ICMP error does (nothing is assumed); what zero means.
//
// Not in it, on purpose: the final ACK of a listener that has closed meanwhile is not checked there. In SYN-RECEIVED
// it checks no sequence number.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using mtcp = listener<clamp<up_to<10000, 1>>, sizing<pipeline<exactly<10000>>>, waiting<exactly_backlog>,
                      schedule<doubling<500 * millisecond, 16, 64 * second>>, pressure<no_pressure>, clockwork<exact<>>,
                      admission<in_order<gates::known_request, gates::strict_request_queue, gates::refusal>>,
                      request_full<reset>, accept_full_at_syn<admit>, accept_full_at_ack<reset>,
                      validation<repeats_syn_ack<rfc793_validation>>, counters<no_counters>, closing<leave_to_timer>,
                      send_failure<harmless>, icmp<icmp_ignored>, child<handles<>>>;

}  // namespace listenq::preset
