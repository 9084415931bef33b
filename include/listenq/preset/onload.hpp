// SPDX-License-Identifier: BSL-1.0
// Onload as a composition: N wait, 256 are half-open, and the young quarter. No logic, only answers.
//
// Sources: lib/transport/ip/tcp_rx.c (ci_tcp_handle_rx_listen: refused when more than a quarter of the smaller queue is
// young; since pull request 182 of 2024 it can follow Linux and drop every SYN at a full accept queue), tcp_synrecv.c
// (ci_tcp_listenq_drop_oldest when both are full), tcp_timer.c (doubling from 1 s, five times), include/ci/internal/
// opts_netif_def.h (EF_TCP_BACKLOG_MAX 256) of ef17681d (2026-07-22).
//
// Unverified: what an ICMP error does (nothing is assumed); EF_ACCEPTQ_MIN, below which the backlog never falls; that
// the first timeout is 1 s.
//
// Not in it: cookies (EF_TCP_SYNCOOKIES, off by default), deferral, the budget of the whole stack (EF_TCP_SYNRECV_MAX,
// four times 256: `shared_budget` does that), counters.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using onload = listener<
    clamp<to_somaxconn>,             // EF_ACCEPTQ_MAX
    sizing<pipeline<exactly<256>>>,  // EF_TCP_BACKLOG_MAX
    waiting<exactly_backlog>, schedule<doubling<1 * second, 5>>, pressure<no_pressure>, clockwork<exact<>>,
    admission<in_order<gates::known_request, gates::accept_queue, gates::strict_request_queue, gates::refusal>>,
    request_full<drop_and_evict_if_both_full>, accept_full_at_syn<drop_if_young_above<1, 4>>, accept_full_at_ack<keep>,
    validation<repeats_syn_ack<rfc793_validation>>, counters<no_counters>, closing<abort_requests>,
    send_failure<harmless>, aborted_child<returned>, icmp<icmp_ignored>, child<handles<>>,
    tunables<defaults<tuned<tunable::somaxconn, 128>>>>;

}  // namespace listenq::preset
