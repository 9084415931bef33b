// SPDX-License-Identifier: BSL-1.0
// smoltcp as a composition: there is no backlog. One listening socket is one connection, and who comes meanwhile gets a
// RST. No logic, only answers.
//
// Sources: src/socket/tcp.rs (a socket listens, and then it is the connection; a RST in SYN-RECEIVED returns it to
// LISTEN, a challenge ACK a second at most), src/iface/interface/tcp.rs (RST for a segment that no socket takes) of
// 5393f885 (2026-08-07). More sockets on one port are more slots: `sizing` and `waiting` with that number.
//
// Unverified: what an ICMP error does (nothing is assumed); the first timeout of 1 s. SYN-ACKs go on without end there;
// here 40 times.
//
// Not in it: a duplicate SYN is ignored there, and gets an ACK here.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using smoltcp =
    listener<clamp<as_is>, sizing<pipeline<exactly<1>>>, waiting<reached<pipeline<exactly<1>>, counted::both_queues>>,
             schedule<doubling<1 * second, 40>>, pressure<no_pressure>, clockwork<exact<>>,
             admission<in_order<gates::known_request, gates::accept_queue, gates::refusal>>, accept_full_at_syn<reset>,
             accept_full_at_ack<reset>, validation<rfc9293_validation>, counters<no_counters>, closing<abort_requests>,
             send_failure<harmless>, icmp<icmp_ignored>, child<handles<>>>;

}  // namespace listenq::preset
