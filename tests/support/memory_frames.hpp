// SPDX-License-Identifier: BSL-1.0
// Frames in memory: what a test puts in comes out of receive(), what is sent lies in a vector.
#pragma once

#include <cstddef>
#include <deque>
#include <listenq/segment.hpp>
#include <listenq/transport/frames.hpp>
#include <listenq/wire/tcp.hpp>
#include <optional>
#include <vector>

namespace support {

using frame = std::vector<std::byte>;

struct memory_frames {
  std::deque<frame> in{};
  std::vector<frame> out{};
  frame current{};
  std::size_t longest = 1500;
  bool open = true;
  listenq::send_result answer = listenq::send_result::sent;

  std::optional<listenq::byte_view> receive() {
    if (in.empty()) return std::nullopt;
    current = in.front();
    in.pop_front();
    return listenq::byte_view{current.data(), current.size()};
  }
  listenq::send_result send(listenq::byte_view f) {
    if (answer == listenq::send_result::sent) out.emplace_back(f.begin(), f.end());
    return answer;
  }
  bool writable() const { return open; }
  std::size_t mtu() const { return longest; }
};

static_assert(listenq::frame_transport<memory_frames>);

template <listenq::addressing A>
frame frame_of(const listenq::basic_segment<A>& s) {
  frame f(100 + s.payload.size);
  f.resize(listenq::wire::write_packet(s, {f.data(), f.size()}));
  return f;
}

}  // namespace support
