// SPDX-License-Identifier: BSL-1.0
// pressure: how many timeouts a request may see while the queue is crowded. Old requests die first, so that half of
// the room stays for young ones. It never makes a request live longer than `schedule` would.
//
// When to use which: `half_table` for Linux to 4.3, `half_backlog` for Linux since, `no_pressure` elsewhere.
#pragma once

#include <concepts>
#include <cstdint>

namespace listenq {

/// What a pressure rule may look at, at the moment of a timeout (or at the start of a sweep).
struct pressure_facts {
  std::uint32_t requests = 0;  ///< Q
  std::uint32_t young = 0;     ///< Y: requests that have not timed out yet
  std::uint32_t limit = 0;     ///< how many requests fit (`sizing`)
  std::uint32_t backlog = 0;   ///< N
  std::uint32_t retries = 0;   ///< what `schedule` allows
};

/// `threshold(facts)`: the number of timeouts after which a request dies now, at most `facts.retries`.
template <class P>
concept pressure_policy = requires(const pressure_facts& f) {
  { P::threshold(f) } -> std::same_as<std::uint32_t>;
};

/// The schedule alone decides.
struct no_pressure {
  static constexpr const char* name = "no_pressure";
  static constexpr std::uint32_t threshold(const pressure_facts& f) noexcept { return f.retries; }
};

namespace detail {
/// One retry less for every doubling by which the young fall short of filling the queue, never below 2.
constexpr std::uint32_t shrink_threshold(const pressure_facts& f) noexcept {
  std::uint32_t threshold = f.retries;
  std::uint64_t young = std::uint64_t{f.young} * 2;
  while (threshold > 2 && f.requests >= young) {
    --threshold;
    young *= 2;
  }
  return threshold;
}
}  // namespace detail

/// From the moment that half of the table is in use: `Q >= limit / 2` (Linux 2.6.32 and 3.12,
/// inet_csk_reqsk_queue_prune; the limit is the number of buckets).
struct half_table {
  static constexpr const char* name = "half_table";
  static constexpr bool active(const pressure_facts& f) noexcept { return f.requests >= (f.limit + 1) / 2; }
  static constexpr std::uint32_t threshold(const pressure_facts& f) noexcept {
    return active(f) ? detail::shrink_threshold(f) : f.retries;
  }
};

/// From `2 Q > max(8, N)` on (Linux 6.18, reqsk_timer_handler).
struct half_backlog {
  static constexpr const char* name = "half_backlog";
  static constexpr bool active(const pressure_facts& f) noexcept {
    return std::uint64_t{f.requests} * 2 > (f.backlog > 8 ? f.backlog : 8);
  }
  static constexpr std::uint32_t threshold(const pressure_facts& f) noexcept {
    return active(f) ? detail::shrink_threshold(f) : f.retries;
  }
};

using default_pressure = half_backlog;

namespace slot {
struct pressure {
  static constexpr const char* name = "pressure";
};
}  // namespace slot
/// Keyword: how a crowded queue shortens lives.
template <pressure_policy P = default_pressure>
struct pressure {
  using slot = listenq::slot::pressure;
  using policy = P;
};

}  // namespace listenq
