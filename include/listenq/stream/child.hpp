// SPDX-License-Identifier: BSL-1.0
// From the listener's record of a handshake to what a connection begins with. It makes no connection: the stack does.
#pragma once

#include <cstdint>
#include <listenq/handshake.hpp>
#include <listenq/segment.hpp>
#include <listenq/stream/established.hpp>

namespace listenq {

/// How the child of `h` begins; `last` is the segment that finished the handshake, which the child must then be fed.
/// `max_payload` limits what it sends in one segment, timestamps included, bytes; 0: only the peer's MSS does.
template <addressing A>
constexpr basic_established<A> child_of(const basic_handshake<A>& h, const basic_segment<A>& last,
                                        std::uint16_t max_payload = 0) noexcept {
  basic_established<A> e;
  e.tuple = h.key;
  e.iss = h.iss;
  e.irs = h.irs;
  e.theirs.mss = h.peer_mss;
  e.theirs.sack_permitted = h.sack;
  e.theirs.timestamps = h.timestamps;
  e.theirs.ts_value = h.ts_recent;
  if (h.window_scaling) e.theirs.window_scale = h.send_scale;
  e.ours = e.theirs;
  e.ours.mss = max_payload;
  if (h.window_scaling) e.ours.window_scale = h.receive_scale;
  e.our_window = static_cast<std::uint16_t>(h.window);
  e.peer_window = last.window;
  e.ts_offset = h.ts_offset;
  return e;
}

}  // namespace listenq
