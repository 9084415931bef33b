// SPDX-License-Identifier: BSL-1.0
// VPP's TCP as a composition: listen()'s number is ignored, and whom the application cannot take gets a RST. No logic,
// only answers.
//
// Sources: vcl/vppcom.c (vppcom_session_listen: q_len is unused), vnet/tcp/tcp_input.c (tcp46_listen_inline: a
// connection for every SYN; tcp46_rcv_process_inline: accept notification failed, RST), vnet/tcp/tcp_output.c
// (tcp_timer_retransmit_syn_handler: 200 ms, three times so, then doubling) of b575ec2c5 (2026-08-22). At a
// request the same SYN gets the SYN-ACK again, another one in the window a challenge ACK, and any RST in it ends it.
//
// Unverified: what an ICMP error does (nothing is assumed); where the SYN-ACKs end (half of syn-rcvd-time, which is
// configured; 25.6 s here).
//
// Not in it: the application's event queue and the memory of sessions, the only bounds (20,000 of each here, a number
// of this preset); the SYN filter.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using vpp = listener<
    clamp<as_is>, sizing<pipeline<exactly<20000>>>, waiting<reached<pipeline<exactly<20000>>>>,
    schedule<listed<200 * millisecond, 200 * millisecond, 200 * millisecond, 400 * millisecond, 800 * millisecond,
                    1600 * millisecond, 3200 * millisecond, 6400 * millisecond, 12800 * millisecond>>,
    pressure<no_pressure>, clockwork<exact<>>,
    admission<in_order<gates::known_request, gates::strict_request_queue, gates::refusal>>, request_full<drop>,
    accept_full_at_syn<admit>, accept_full_at_ack<reset>,
    validation<takes_any_rst<repeats_syn_ack<rfc5961_validation>>>, counters<no_counters>, closing<leave_to_timer>,
    send_failure<harmless>, icmp<icmp_ignored>, child<handles<>>>;

}  // namespace listenq::preset
