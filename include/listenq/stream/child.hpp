// SPDX-License-Identifier: BSL-1.0
// From the listener's record of a handshake to what a connection begins with. It makes no connection: the stack does.
#pragma once

#include <cstdint>
#include <listenq/handshake.hpp>
#include <listenq/segment.hpp>
#include <listenq/stream/established.hpp>
#include <listenq/time.hpp>
#include <optional>

namespace listenq {

/// In which state the child of `h` begins.
template <addressing A>
constexpr opening opening_of(const basic_handshake<A>& h) noexcept {
  return h.fast_open ? opening::fast : opening::passive;
}

/// How the handshake of a fast-open child has ended, if it has: what the listener's child_settled() is to be told,
/// once.
template <class Connection>
std::optional<fast_open_end> end_of_handshake(const Connection& c) noexcept {
  if (c.state() == connection_state::syn_received) return std::nullopt;
  if (c.was_established()) return fast_open_end::finished;
  return c.error() == connection_error::reset ? fast_open_end::reset : fast_open_end::gone;
}

/// How the child of `h` begins; `last` is the segment that finished the handshake, which the child must then be fed.
/// `max_payload` limits what it sends in one segment, timestamps included, bytes; 0: only the peer's MSS does, and the
/// MSS of our SYN-ACK where the child repeats it.
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
  e.ours.mss = max_payload != 0 || !h.fast_open ? max_payload : h.mss;
  if (h.window_scaling) e.ours.window_scale = h.receive_scale;
  e.our_window = static_cast<std::uint16_t>(h.window);
  e.peer_window = last.window;
  e.ts_offset = h.ts_offset;
  return e;
}

/// The round trip from SYN-ACK to `last`, in whole milliseconds, by the timestamp that it echoes; 0, "not measured",
/// where there is none or it is older than a minute.
template <addressing A>
constexpr duration round_trip(const basic_handshake<A>& h, const basic_segment<A>& last, instant now) noexcept {
  if (!h.timestamps || !last.options.timestamps || !last.flags.has(flag::ack)) return 0;
  const std::uint32_t elapsed = timestamp_at(now, h.ts_offset) - last.options.ts_echo;
  return elapsed < 60'000 ? elapsed * millisecond : 0;
}

}  // namespace listenq
