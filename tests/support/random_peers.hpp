// SPDX-License-Identifier: BSL-1.0
// A dozen peers that send what makes sense to a listener, or nearly so: SYNs, final ACKs, data, RSTs, old timestamps,
// numbers that are one off. They remember what they were answered. For tests that run two listeners side by side.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/transport/splitmix64.hpp>
#include <tuple>

namespace listenq {

class random_peers {
 public:
  static constexpr std::uint32_t count = 12;

  explicit random_peers(std::uint64_t seed) : random_{seed} {}

  std::uint32_t up_to(std::uint32_t n) { return static_cast<std::uint32_t>(random_.up_to(n)); }

  /// What somebody sends at `now`.
  segment next(instant now) {
    static constexpr std::byte payload[13]{};
    const std::uint32_t peer = up_to(count - 1);
    const segment& h = heard_[peer];
    const bool answered = h.flags.has(flag::ack);
    segment s;
    s.source = {{first + peer}, static_cast<std::uint16_t>(1000 + peer)};
    s.destination = {ip(192, 0, 2, 1), 80};
    s.options.timestamps = peer % 3 != 0;
    s.options.ts_value = static_cast<std::uint32_t>(now / millisecond) + 5;
    s.options.ts_echo = h.options.ts_value;
    const seq_number isn = 1000 * peer;
    s.seq = isn + 1;
    s.ack = h.seq + 1;
    s.flags = flag::ack;
    const std::uint32_t kind = up_to(19);
    if (kind < 7 || !answered) {
      s.flags = flag::syn;
      s.seq = isn;
      s.ack = 0;
      s.options.ts_echo = 0;
      s.options.mss = static_cast<std::uint16_t>(peer % 4 * 500);
      s.options.sack_permitted = peer % 2 == 0;
      if (peer % 5 != 0) s.options.window_scale = static_cast<std::uint8_t>(peer + 4);
      if (peer == 7) s.flags = s.flags | flag::ece | flag::cwr;
      if (peer == 8) s.options.fast_open = fast_open_option::request();
    } else if (kind == 7) {
      s.payload = {payload, 13};
    } else if (kind == 8) {
      s.flags = flag::rst;
    } else if (kind == 9) {
      s.flags = {static_cast<std::uint8_t>(up_to(255))};
      s.seq += up_to(2) - 1;
      s.ack += up_to(2) - 1;
    } else if (kind == 10) {
      s.seq += up_to(70000);
      if (up_to(1) != 0) s.flags = flag::rst;
    } else if (kind == 11) {
      ++s.ack;
    } else if (kind == 12) {
      s.options.ts_value -= up_to(4000);
      s.options.ts_echo += up_to(2);
    } else if (kind == 13) {
      s.options.timestamps = up_to(1) != 0;
      s.flags = s.flags | flag::fin;
    } else if (kind == 14) {
      s.ack = before_[peer].seq + 1;
    } else if (kind == 15) {
      s.flags = flag::psh;
      s.options.timestamps = up_to(1) != 0;
    }
    return s;
  }

  /// Somebody hears an answer.
  void hear(const segment& answer) {
    const std::uint32_t peer = answer.destination.address.value - first;
    if (peer >= count || answer.flags.has(flag::rst)) return;
    if (answer.seq != heard_[peer].seq) before_[peer] = heard_[peer];
    heard_[peer] = answer;
  }

 private:
  static constexpr std::uint32_t first = 0x0a000000U;
  splitmix64 random_;
  std::array<segment, count> heard_{};
  std::array<segment, count> before_{};  ///< the last answer with another number
};

/// A segment as something to compare.
inline auto all_of(const segment& s) {
  return std::tuple{s.source, s.destination, s.seq, s.ack, s.flags, s.window, s.options, s.payload.size};
}

}  // namespace listenq
