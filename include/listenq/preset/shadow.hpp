// SPDX-License-Identifier: BSL-1.0
// The TCP of the Shadow simulator as a composition: N + 1 in each queue, tested before it is looked who the peer is. No
// logic, only answers.
//
// Sources: src/lib/tcp/src/states.rs (ListenState: a SYN is dropped when either queue holds more than the backlog, even
// that of a known peer; an ACK is dropped while the accept queue is full; 60 s in SYN-RECEIVED), connection.rs of
// f1b2cacf2 (2026-08-19).
//
// Unverified: what an ICMP error does (nothing is assumed); what a negative number means.
//
// Not in it: the RST after those 60 s; its SYN-ACK is never sent again, as here, because nothing is ever lost there.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using shadow = listener<
    clamp<as_is>, sizing<pipeline<plus<1>>>, waiting<backlog_plus_one>, schedule<fixed_lifetime<60 * second>>,
    pressure<no_pressure>, clockwork<exact<>>,
    admission<in_order<gates::strict_request_queue, gates::accept_queue, gates::known_request, gates::refusal>>,
    request_full<drop>, accept_full_at_syn<drop>, accept_full_at_ack<keep>, validation<rfc793_validation>,
    counters<no_counters>, closing<abort_requests>, send_failure<harmless>, icmp<icmp_ignored>, child<handles<>>>;

}  // namespace listenq::preset
