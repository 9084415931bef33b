// SPDX-License-Identifier: BSL-1.0
// The clients of a script: what each remembers of its SYN-ACK, and the segments that it makes of that. They differ, so
// that options of all sorts occur: MSS, SACK, scales, timestamps.
#pragma once

#include <array>
#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/testing/model/subject.hpp>
#include <listenq/time.hpp>

namespace listenq::testing {

class script_clients {
 public:
  struct memory {
    seq_number isn = 0;
    seq_number iss = 0;    ///< of the last SYN-ACK
    std::uint32_t ts = 0;  ///< its timestamp
  };

  constexpr script_clients() noexcept {
    for (std::uint32_t i = 0; i < client_count; ++i) memory_[i].isn = 1000 * i + 7;
  }
  constexpr const memory& operator[](std::uint32_t i) const noexcept { return memory_[i]; }

  /// They read their SYN-ACKs.
  constexpr void learn(const segment& s) noexcept {
    if (!s.flags.has(flag::syn | flag::ack)) return;
    memory_[client_of({s.destination.address, s.source.address, s.destination.port, s.source.port})] = {
        .isn = s.ack - 1, .iss = s.seq, .ts = s.options.ts_value};
  }
  /// A segment of client `i`.
  constexpr segment from(std::uint32_t i, flags f, seq_number seq, seq_number ack, instant now) const noexcept {
    segment s{.source = client_key(i).peer(), .destination = client_key(i).local(), .seq = seq, .ack = ack, .flags = f};
    s.window = 65535;
    if (f.has(flag::syn)) {
      s.options.mss = i % 3 == 0 ? 1460 : i == 5 ? 40 : 536;
      s.options.sack_permitted = i % 4 < 2;
      if (i % 2 == 1) s.options.window_scale = i == 3 ? 15 : 7;
    }
    if (i % 2 == 1 && !f.has(flag::rst)) {
      s.options.timestamps = true;
      s.options.ts_value = static_cast<std::uint32_t>(now / millisecond) + 1000 * i;
      s.options.ts_echo = f.has(flag::ack) ? memory_[i].ts : 0;
    }
    return s;
  }

 private:
  std::array<memory, client_count> memory_{};
};

}  // namespace listenq::testing
