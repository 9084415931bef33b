// SPDX-License-Identifier: BSL-1.0
// lwIP as a composition, with TCP_LISTEN_BACKLOG on: one byte of backlog that half-open and waiting connections share.
// No logic, only answers.
//
// Sources: core/tcp.c (tcp_listen_with_backlog, tcp_slowtmr: SYN_RCVD ends after 20 s), core/tcp_in.c
// (tcp_listen_input: accepts_pending >= backlog drops in silence; tcp_process: RFC 5961 3.2 in SYN_RCVD, too),
// core/tcp_out.c of 3d896ba0 (2026-06-16). The option is off by default: then nothing but the pool of PCBs bounds
// anything.
//
// liblwip 2.1.3 was run with the same segments: its SYN-ACKs come again after 2.75 s and 8.75 s, since its clock ticks
// every 500 ms from the SYN on, and it gives up after 20.25 s.
//
// Unverified: what an ICMP error does (nothing is assumed).
//
// Not in it: every segment but a RST starts the 20 s anew; the pool of PCBs, whose exhaustion kills TIME-WAIT and then
// the oldest of lower priority; an accept callback that refuses gets the peer a RST, as a refused child does here.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using lwip =
    listener<clamp<up_to<255, 1>>,                                   // tcp_listen_with_backlog: u8, 0 is 1
             sizing<pipeline<>>,                                     // no bound of its own: the sum closes first
             waiting<sum_to_backlog>,                                // accepts_pending
             schedule<listed<3 * second, 6 * second, 11 * second>>,  // TCP_SYN_RCVD_TIMEOUT 20 s
             pressure<no_pressure>, clockwork<exact<>>,
             admission<in_order<gates::known_request, gates::accept_queue, gates::refusal>>, accept_full_at_syn<drop>,
             accept_full_at_ack<reset>, validation<lwip_validation>, counters<no_counters>, closing<abort_requests>,
             send_failure<harmless>, aborted_child<reported>, icmp<icmp_ignored>, child<handles<>>>;

}  // namespace listenq::preset
