// SPDX-License-Identifier: BSL-1.0
// NetBSD as a composition: a syncache, a gate at the SYN and another, wider one at the final ACK. No logic, only
// answers.
//
// Sources: netinet/tcp_syncache.c 1.7 of 2024 (syn_cache_add, syn_cache_insert, syn_cache_get, syn_cache_timer,
// syn_cache_cleanup), netinet/tcp_input.c (so_qlen <= so_qlimit), kern/uipc_socket.c (solisten), kern/uipc_socket2.c
// (sonewconn: q + q0 > 3 N / 2, where q0 has no requests in it: those are in the syncache).
//
// Unverified: somaxconn's default (128 is assumed).
//
// Not in it yet: one syncache for all listeners (`requests<borrowed<...>>` does that).
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using netbsd = listener<clamp<negative_to_zero>,                         // solisten
                        sizing<syncache<293, 105, 10255>>,               // tcp_syn_cache_size, tcp_syn_bucket_limit
                        waiting<three_halves_plus_one>,                  // sonewconn
                        schedule<doubling<3 * second, 4, 64 * second>>,  // TCPTV_SRTTDFLT; until 75 s are over
                        pressure<no_pressure>, clockwork<exact<>>,       //
                        admission<bsd_gates>, accept_full_at_syn<drop>,  // tcp_input
                        request_full<evict_from_here_on>,                // syn_cache_insert
                        accept_full_at_ack<reset>,                       // syn_cache_get
                        validation<netbsd_validation>, counters<netbsd_counters>,
                        closing<forget_requests>,      // syn_cache_cleanup
                        send_failure<fatal_at_first>,  // syn_cache_add
                        aborted_child<reported>, icmp<second_error_after<3>>, child<handles<>>,
                        tunables<defaults<tuned<tunable::somaxconn, 128>>>>;

}  // namespace listenq::preset
