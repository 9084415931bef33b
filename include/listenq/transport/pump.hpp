// SPDX-License-Identifier: BSL-1.0
// pump: joins a transport and a listener. It moves what is there and returns; it is not an event loop.
#pragma once

#include <cstddef>
#include <listenq/listener.hpp>
#include <listenq/transport/concept.hpp>

namespace listenq {

/// Hands every waiting segment to the listener, as long as an answer would fit, then lets the listener's timers run;
/// answers go back through the transport. Returns how many segments were read. `seen(segment, outcome)` is told of
/// each.
template <transport T, class Listener, class Seen>
requires std::same_as<typename T::addressing_type, typename Listener::addressing_type> std::size_t pump(T& wire,
                                                                                                        Listener& door,
                                                                                                        instant now,
                                                                                                        Seen&& seen) {
  std::size_t read = 0;
  while (wire.writable()) {
    const auto in = wire.receive();
    if (!in) break;
    ++read;
    seen(*in, door.receive(*in, now, wire));
  }
  if (wire.writable()) door.tick(now, wire);
  return read;
}

template <transport T, class Listener>
std::size_t pump(T& wire, Listener& door, instant now) {
  return pump(wire, door, now, [](const auto&, const outcome&) {});
}

}  // namespace listenq
