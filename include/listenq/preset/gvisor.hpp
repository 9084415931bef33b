// SPDX-License-Identifier: BSL-1.0
// gVisor's netstack as a composition: N + 1 wait, N are half-open, then cookies. No logic, only answers.
//
// Sources: pkg/sentry/syscalls/linux/sys_socket.go (Listen: at most 1024, one more is added), pkg/tcpip/transport/tcp/
// accept.go (the accept queue is full when its length has reached the capacity; pending endpoints up to capacity - 1,
// then a cookie), dispatcher.go (SYN and final ACK are dropped in silence while it is full), connect.go (SYN-ACK from 1
// s, doubling until 120 s are exceeded) of 3c5eee17d (2026-08-21).
//
// Unverified: what an ICMP error does (nothing is assumed); the order of the gates.
//
// Not in it: deferral by time instead of retries; counters; its silence for a wrong cookie (a RST here).
#pragma once

#include <listenq/listener.hpp>

namespace listenq::preset {

using gvisor = listener<
    clamp<up_to<1024, 8>>,      // sys_socket.go, Listen
    sizing<pipeline<>>,         // accept.go: capacity - 1
    waiting<backlog_plus_one>,  // accept.go: capacity
    schedule<doubling<1 * second, 6>>, pressure<no_pressure>, clockwork<exact<>>,
    admission<in_order<gates::known_request, gates::accept_queue, gates::strict_request_queue, gates::refusal>>,
    request_full<drop>, accept_full_at_syn<drop>, accept_full_at_ack<keep>, cookies<under_pressure<gvisor_cookie>>,
    validation<rfc793_validation>, counters<no_counters>, closing<abort_requests>, send_failure<harmless>,
    aborted_child<returned>, icmp<icmp_ignored>, child<handles<>>>;

}  // namespace listenq::preset
