// SPDX-License-Identifier: BSL-1.0
// FreeBSD 4 and 5 as a composition: a syncache behind a gate that tests the accept queue. No logic, only answers.
//
// Sources: UNP vol. 1, figure 4.10, column FreeBSD 4.8 and 5.1 (N + 1); tcp_input of FreeBSD up to 6 (so_qlen <=
// so_qlimit before syncache_add); sonewconn (A > 3 N / 2, met by the final ACK); Lemon, "Resisting SYN flood DoS
// attacks with a SYN cache", BSDCon 2002, and the Netsem specification of 4.6 (512 buckets of 30, 15,360 in all; SYN
// cookies).
//
// Unverified: the schedule (13's, from 3 s), what a refused final ACK gets, the answers at a request and the counters
// (13's). Netsem has
// "<" where tcp_input has "<=" at the gate; the figure decides for N + 1.
//
// Not in it: its SYN cookies (128 secrets, 4 s of life), one syncache for all listeners (`requests<borrowed<...>>` does
// that).
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using freebsd_4 = listener<clamp<negative_to_somaxconn>,      // solisten
                           sizing<syncache<512, 30, 15360>>,  // TCP_SYNCACHE_HASHSIZE, TCP_SYNCACHE_BUCKETLIMIT
                           waiting<three_halves_plus_one>,    // sonewconn
                           schedule<doubling<3 * second, 3, 64 * second>>,  // SYNCACHE_MAXREXMTS
                           pressure<no_pressure>, clockwork<exact<>>,       //
                           admission<bsd_gates>, accept_full_at_syn<drop>,  // tcp_input
                           request_full<evict_in_bucket>,                   // syncache_insert
                           accept_full_at_ack<reset>,                       // syncache_expand
                           validation<freebsd_validation>, counters<freebsd_counters>, closing<outlive_listener>,
                           send_failure<fatal_at_first>, aborted_child<reported>, icmp<second_error_after<3>>,
                           child<handles<>>, tunables<defaults<tuned<tunable::somaxconn, 128>>>>;

}  // namespace listenq::preset
