// SPDX-License-Identifier: BSL-1.0
// XNU (macOS 15.4) as a composition: a socket for every SYN, one bound for both queues, and a victim when it is
// reached. No logic, only answers.
//
// Sources: bsd/kern/uipc_socket.c (solisten: 0 and negative are somaxconn, 128), bsd/kern/uipc_socket2.c
// (sonewconn_internal: inc + comp >= N), bsd/netinet/tcp_input.c (the LISTEN block, tcp_dropdropablreq) of
// xnu-11417.101.15.
//
// Unverified: what an ICMP error does (nothing is assumed); the schedule (from 1 s, five times), the answers at a
// request (RFC 793's are assumed).
//
// Not in it: the count of refused SYNs is the listener's here, the system's there.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using xnu = listener<clamp<zero_to_somaxconn>,  // solisten
                     sizing<pipeline<>>,        // no bound of its own: the sum closes first
                     waiting<sum_to_backlog>,   // sonewconn_internal
                     schedule<doubling<1 * second, 5, 64 * second>>, pressure<no_pressure>, clockwork<exact<>>,
                     admission<in_order<gates::known_request, gates::accept_queue, gates::refusal>>,
                     accept_full_at_syn<evict_oldest_or_random>,  // tcp_dropdropablreq
                     accept_full_at_ack<forget>,                  // never asked: who has a socket finds room
                     validation<rfc793_validation>, counters<xnu_counters>,
                     closing<abort_requests>,  // soclose: so_incomp is aborted
                     send_failure<harmless>, aborted_child<reported>, icmp<icmp_ignored>, child<handles<>>,
                     tunables<defaults<tuned<tunable::somaxconn, 128>>>>;

}  // namespace listenq::preset
