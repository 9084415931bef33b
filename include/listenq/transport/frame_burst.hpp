// SPDX-License-Identifier: BSL-1.0
// Frames in bursts: IP packets that came together (a poll of DPDK, of AF_XDP, of recvmmsg) become segments and reach
// the listener as one burst. Reading is wire/'s, what to do with other traffic the caller's; nothing is allocated.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <listenq/burst.hpp>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/time.hpp>
#include <listenq/wire/tcp.hpp>
#include <span>
#include <type_traits>

namespace listenq {

/// A listener that takes segments in bursts.
template <class Door>
concept takes_bursts = requires(Door& door, std::span<const typename Door::segment_type> burst, null_sink& out) {
  typename Door::addressing_type;
  door.receive(burst, instant{}, out);
};

/// Reads frames (IP packets without link layer) and hands their segments to `door`: the same, to the bit, as
/// `wire::read_packet` and `receive` for one after the other. Frames must stay valid meanwhile. `seen(segment,
/// outcome)` is told of each segment, in order; `refused(frame, error)` of each frame that is none
/// (`wire::parse_error`), before the segments of those that it is read with. Returns how many were segments.
template <takes_bursts Door, sink<typename Door::addressing_type> Sink, class Seen, class Refused>
std::size_t receive_frames(std::span<const byte_view> frames, Door& door, instant now, Sink& out, Seen&& seen,
                           Refused&& refused, wire::checksums check = wire::checksums::verify) {
  using segment_type = basic_segment<typename Door::addressing_type>;
  static_assert(std::is_aggregate_v<segment_type> && std::is_trivially_copyable_v<segment_type>);
  constexpr std::size_t most = looked_at_ahead;
  // Bytes, because making segments that are read into at once would take longer than reading some of them.
  alignas(segment_type) std::array<std::byte, most * sizeof(segment_type)> place;
  auto* const segments = reinterpret_cast<segment_type*>(place.data());
  std::size_t all = 0;
  while (!frames.empty()) {
    const std::size_t n = frames.size() < most ? frames.size() : most;
    std::size_t read = 0;
    for (const byte_view& frame : frames.first(n)) {
      const wire::parse_error error = wire::read_packet_into(segments[read], frame, check);
      if (error == wire::parse_error::none) {
        ++read;
      } else {
        refused(frame, error);
      }
    }
    door.receive(std::span<const segment_type>{segments, read}, now, out, seen);
    all += read;
    frames = frames.subspan(n);
  }
  return all;
}
template <takes_bursts Door, sink<typename Door::addressing_type> Sink>
std::size_t receive_frames(std::span<const byte_view> frames, Door& door, instant now, Sink& out,
                           wire::checksums check = wire::checksums::verify) {
  return receive_frames(
      frames, door, now, out, [](const auto&, const auto&) {}, [](const byte_view&, wire::parse_error) {}, check);
}

}  // namespace listenq
