// SPDX-License-Identifier: BSL-1.0
// FreeBSD 13 as a composition: a syncache that never refuses, and an accept queue that is tested at the final ACK only.
// No logic, only answers.
//
// Sources: kern/uipc_socket.c (solisten_proto, sonewconn, soclose), netinet/tcp_syncache.c (syncache_add,
// syncache_insert, syncache_expand, syncache_timer), netinet/tcp_input.c of 13.0. Sysctl defaults:
// kern.ipc.soacceptqueue 128, net.inet.tcp.syncache.hashsize 512, bucketlimit 30, cachelimit 15360, rexmtlimit 3,
// rst_on_sock_fail 1, syncookies 1 (read as the tunable `syncookies`; syncookies_only is its 2).
//
// Unverified: soacceptqueue's default and the first timeout of 1 s (a comment says so).
//
// Not in it: fast open, accept filters, one syncache for all listeners (`requests<borrowed<...>>` does that). The pause
// after a bucket overflow is the listener's here, the syncache's there.
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using freebsd_13 =
    listener<clamp<negative_to_somaxconn>,                                // solisten_proto
             sizing<syncache<512, 30, 15360>>,                            // tcp_syncache.c
             waiting<three_halves_plus_one>,                              // sonewconn: qlen > 3 * qlimit / 2
             schedule<doubling<1 * second, 3, 64 * second>>,              // syncache_timeout, tcp_rexmit_initial
             pressure<no_pressure>, clockwork<exact<>>,                   //
             admission<syncache_gates>,                                   // syncache_add
             request_full<evict_in_bucket>,                               // syncache_insert
             accept_full_at_syn<admit>,                                   // no test before the final ACK
             accept_full_at_ack<reset>,                                   // syncache_expand, rst_on_sock_fail
             cookies<pausing<in_every_iss_if_tuned<freebsd_13_cookie>>>,  // syncache_add, syncookie_generate
             validation<freebsd_validation>, counters<freebsd_counters>, closing<outlive_listener>,
             send_failure<fatal_at_first>, aborted_child<reported>, icmp<second_error_after<3>>, child<handles<>>,
             tunables<defaults<tuned<tunable::somaxconn, 128>, tuned<tunable::syncookies, 1>>>>;

}  // namespace listenq::preset
