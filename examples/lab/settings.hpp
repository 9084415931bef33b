// SPDX-License-Identifier: BSL-1.0
// What a run is asked to do: the options of the command line as values. Time 0 is listen().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "presets.hpp"
#include "why.hpp"

namespace lab {

/// When the server calls accept().
struct accept_rule {
  enum class kind { never, always, from, once };
  kind when = kind::never;
  instant at = 0;  ///< for `from` and `once`
};

/// A moment to look at all sockets.
struct moment {
  std::string name;
  instant at;
};

struct settings {
  const preset_entry* preset = find_preset("linux-3.12");
  int backlog = 1;
  unsigned clients = 3;
  duration gap = 100 * millisecond;
  accept_rule accept{};
  std::optional<duration> data_after = 2 * second;  ///< nothing: the clients say nothing
  bool echo = false;
  bool fast_open = false;  ///< the clients send their first bytes with the SYN when they have a cookie
  tunable_values_set tunables{};
  double loss = 0;
  duration rtt = 20;
  duration wakeup = 50;
  std::uint64_t seed = 1;
  std::optional<instant> until{};  ///< nothing: see `end_of`
  unsigned preload = 0;
  instant lose_acks_until = 0;
  std::vector<instant> starts{};  ///< instead of `clients` and `gap`
  std::vector<moment> moments{};  ///< instead of the usual ones
};

inline constexpr instant first_start = 300 * millisecond;

/// When client i calls connect().
instant start_of(const settings&, unsigned i);
unsigned client_count(const settings&);
instant last_start(const settings&);
/// When the run ends: long enough for the first repetitions and what follows a late accept.
instant end_of(const settings&);
/// When the sockets are looked at: after the connects, after the data, before a late accept, at the end.
std::vector<moment> moments_of(const settings&);

/// The rules that a run goes by.
rules rules_of(const settings&);

}  // namespace lab
