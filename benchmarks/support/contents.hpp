// SPDX-License-Identifier: BSL-1.0
// What N half-open connections take, all in: the listener itself and everything that it has on the heap. Whoever
// includes it counts the heap (counted_memory.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/listener.hpp>
#include <memory>
#include <vector>

#include "counted_memory.hpp"
#include "doors.hpp"
#include "peers.hpp"

namespace bench {

struct contents {
  bool full = false;             ///< all N are half-open, and afterwards all were accepted
  std::size_t bytes = 0;         ///< with N half-open connections
  std::size_t waiting_room = 0;  ///< of these, for connections that wait for accept()
  std::size_t allocations = 0;   ///< after listen(), in N handshakes
};

/// Room for n requests, n half-open connections, then n handshakes that finish. The accept queue is as long as the
/// backlog says, and a listener for n half-open connections has one of n: `waiting_room` says what that is.
template <class Door, class A = ipv4>
contents fill(std::uint32_t n) {
  contents c;
  peers<A> from;
  std::vector<memory_of_peer> heard(n);
  const std::size_t before = heap.bytes;
  const auto door = std::make_unique<Door>(siphash<2, 4>{{1, 2}});
  if (!open(*door, n - 1)) return c;
  const std::size_t allocated = heap.allocations;
  std::uint32_t good = 0;
  for (std::uint32_t i = 0; i < n; ++i) {
    good += door->receive(from.syn(i), 0, heard[i]).verdict == verdict::admitted ? 1U : 0U;
  }
  c.bytes = heap.bytes - before;
  if constexpr (composed<Door>) {
    c.waiting_room = n * sizeof(typename accept_queue<typename Door::handle_type, at_listen>::entry);
  }
  for (std::uint32_t i = 0; i < n; ++i) {
    good += door->receive(from.ack(i, heard[i]), 1, heard[i]).verdict == verdict::promoted ? 1U : 0U;
    good += door->accept(1) ? 1U : 0U;
  }
  c.full = good == 3 * n;
  c.allocations = heap.allocations - allocated;
  return c;
}

}  // namespace bench
