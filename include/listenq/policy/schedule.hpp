// SPDX-License-Identifier: BSL-1.0
// schedule: how long a request waits for its ACK before the SYN-ACK is sent again, and how often that happens.
// It knows nothing of how full the queue is: `pressure` may allow fewer retries. `clockwork` decides when it is asked.
//
// When to use which: `from_1s` for Linux since 3.1 and FreeBSD (with three retries), `from_3s` for Linux 2.6 and the
// older BSDs, `listed` where a table says it (4.4BSD, lwIP, VPP), `fixed_lifetime` for stacks that never send a SYN-ACK
// again.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/policy/sizing.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/time.hpp>

namespace listenq {

/// `timeout(n)` is the wait after `n` timeouts, at least 1 us; `retries(tunables)` is how many timeouts may pass before
/// a request is forgotten. Timeouts `n >= classes - 1` are all alike, which is what the timer lists are built on.
template <class P>
concept schedule_policy = requires(std::uint32_t n, const any_tunables& t) {
  { P::timeout(n) } -> std::same_as<duration>;
  { P::retries(t) } -> std::same_as<std::uint32_t>;
  { P::classes } -> std::convertible_to<std::uint32_t>;
};

/// Initial, twice that, four times ..., at most Cap. Retries is a number or a tunable (RFC 6298 5.5; Linux
/// inet_csk_reqsk_queue_prune and reqsk_timer_handler; cap TCP_RTO_MAX).
template <duration Initial, auto Retries = tunable::synack_retries, duration Cap = 120 * second>
struct doubling {
  static_assert(Initial > 0 && Cap >= Initial, "listenq: doubling<initial, retries, cap> needs 0 < initial <= cap.");
  static constexpr const char* name = "doubling";
  static constexpr tunable_set tunables = detail::bound_tunables<Retries>();
  static constexpr duration timeout(std::uint32_t n) noexcept {
    duration d = Initial;
    while (n-- > 0 && d < Cap) d *= 2;
    return d < Cap ? d : Cap;
  }
  static constexpr std::uint32_t retries(const tunable_source auto& t) noexcept { return detail::bound<Retries>(t); }
  static constexpr std::uint32_t classes = [] {
    std::uint32_t n = 1;
    for (duration d = Initial; d < Cap; d *= 2) ++n;
    return n;
  }();
};

/// Forgotten after Lifetime, never sent again.
template <duration Lifetime>
struct fixed_lifetime {
  static_assert(Lifetime > 0, "listenq: fixed_lifetime<us> needs a lifetime of at least 1 us.");
  static constexpr const char* name = "fixed_lifetime";
  static constexpr duration timeout(std::uint32_t) noexcept { return Lifetime; }
  static constexpr std::uint32_t retries(const tunable_source auto&) noexcept { return 0; }
  static constexpr std::uint32_t classes = 1;
};

/// One wait after the other; after the last one the request is forgotten. So many waits, one retry less.
template <duration... Waits>
struct listed {
  static_assert(sizeof...(Waits) > 0 && ((Waits > 0) && ...), "listenq: listed<us...> needs waits of at least 1 us.");
  static constexpr const char* name = "listed";
  static constexpr std::uint32_t classes = sizeof...(Waits);
  static constexpr duration timeout(std::uint32_t n) noexcept {
    constexpr duration waits[] = {Waits...};
    return waits[n < classes ? n : classes - 1];
  }
  static constexpr std::uint32_t retries(const tunable_source auto&) noexcept { return classes - 1; }
};

using from_1s = doubling<1 * second>;
using from_3s = doubling<3 * second>;

using default_schedule = from_1s;

namespace slot {
struct schedule {
  static constexpr const char* name = "schedule";
};
}  // namespace slot
/// Keyword: when a SYN-ACK is sent again.
template <schedule_policy P = default_schedule>
struct schedule {
  using slot = listenq::slot::schedule;
  using policy = P;
};

}  // namespace listenq
