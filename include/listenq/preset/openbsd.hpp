// SPDX-License-Identifier: BSL-1.0
// OpenBSD as a composition: as NetBSD, with a backlog of at least 80, three times that at the final ACK, and a secret
// that changes. No logic, only answers.
//
// Sources: netinet/tcp_input.c (so_qlen > so_qlimit; syn_cache_add, syn_cache_insert, syn_cache_get, syn_cache_timer,
// syn_cache_cleanup), kern/uipc_socket.c (solisten, SOMINCONN 80), kern/uipc_socket2.c (sonewconn: q + q0 > 3 N, where
// q0 has no requests in it: those are in the syncache).
//
// Unverified: somaxconn's default (128 is assumed), tcp_keepinit (75 s).
//
// Not in it yet: the refusal while the mbuf pool is nearly used up, a
// table that can be resized.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using openbsd = listener<clamp<at_least_80>,                                   // solisten
                         sizing<syncache<293, 105, 10255, reseeded<100000>>>,  // TCP_SYN_HASH_SIZE, TCP_SYN_BUCKET_SIZE
                         waiting<over<pipeline<times<3>>>>,                    // sonewconn
                         schedule<doubling<3 * second, 4, 64 * second>>,  // TCPTV_SRTTDFLT; until tcp_keepinit is over
                         pressure<no_pressure>, clockwork<exact<>>,       //
                         admission<bsd_gates>, accept_full_at_syn<drop>,  // tcp_input
                         request_full<evict_from_here_on>,                // syn_cache_insert
                         accept_full_at_ack<reset>,                       // syn_cache_get
                         validation<openbsd_validation>, counters<openbsd_counters>,
                         closing<forget_requests>,      // syn_cache_cleanup
                         send_failure<fatal_at_first>,  // syn_cache_add
                         aborted_child<reported>, icmp<second_error_after<3>>, child<handles<>>,
                         tunables<defaults<tuned<tunable::somaxconn, 128>>>>;

}  // namespace listenq::preset
