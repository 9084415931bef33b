// SPDX-License-Identifier: BSL-1.0
// What a world is asked to be: the sliders of the page as values. Time 0 is listen(); times are microseconds.
#pragma once

#include <cstdint>
#include <optional>

#include "presets.hpp"

namespace explorer {

using namespace listenq;

struct stall {
  instant from = 0;
  duration length = 0;
  bool covers(instant t) const { return t >= from && t < from + length; }
  friend bool operator==(const stall&, const stall&) = default;
};

struct world_settings {
  const lab::preset_entry* preset = lab::find_preset("linux-3.12");
  std::uint64_t seed = 1;
  int backlog = 1;
  lab::tunable_values_set tunables{};  ///< those that differ from the preset's
  duration rtt = 200 * millisecond;
  double loss = 0;
  double rate = 0;       ///< clients a second
  unsigned burst = 1;    ///< of them come together
  duration service = 0;  ///< from one accept() to the next; 0: it never accepts
  std::optional<stall> stalled{};
  double flood = 0;            ///< SYNs a second from addresses that are not the sender's
  bool flood_answers = false;  ///< whoever has the address answers the SYN-ACK with a RST
  std::optional<duration> data_after = 2 * second;
  std::optional<duration> patience{};  ///< how long a client waits to be accepted

  std::uint32_t value(tunable t) const { return preset->value(t, tunables); }
};

/// The largest values that are taken, so that a world stays small and a call short.
namespace most {
inline constexpr int backlog = 65535;
inline constexpr std::uint32_t tunable = 65535;
inline constexpr duration rtt = 10 * second;
inline constexpr double rate = 5000;
inline constexpr unsigned burst = 1000;
inline constexpr double flood = 20000;
inline constexpr duration length = 3600 * second;
inline constexpr instant time = 1'000'000 * second;
inline constexpr std::uint64_t seed = (1ULL << 53) - 1;  ///< what JavaScript can count to
}  // namespace most

}  // namespace explorer
