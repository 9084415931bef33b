// SPDX-License-Identifier: BSL-1.0
// clockwork: what drives the ageing of requests: a deadline each, or a hand that sweeps over the hash table.
// It says when a request is looked at, `schedule` what its deadline is.
//
// When to use which: `exact` unless you reproduce a kernel that swept. A sweep needs no timer links (8 bytes a request)
// and fires late, by the time the hand takes to come round.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/time.hpp>

namespace listenq {

/// Every request at its own deadline, in deadline order.
template <tie_order Ties = tie_order::oldest_first>
struct exact {
  static constexpr const char* name = "exact";
  static constexpr bool sweeps = false;
  static constexpr tie_order ties = Ties;
};

/// A hand that visits a few buckets every Period while there are requests (Linux 2.6.32 and 3.12,
/// inet_csk_reqsk_queue_prune, driven by the listener's keepalive timer). It starts one initial timeout after the queue
/// stops being empty, stops when it is empty again and keeps its place in between.
template <duration Period = 200 * millisecond>
struct sweep {
  static_assert(Period > 0, "listenq: sweep<period> needs a period of at least 1 us.");
  static constexpr const char* name = "sweep";
  static constexpr bool sweeps = true;
  static constexpr duration period = Period;
  /// Buckets a run visits, so that the hand comes round twice in an initial timeout; at least 1. Integer divisions as
  /// in the kernel: 16 buckets and 3 s give 2, 1 s gives 6.
  static constexpr std::uint32_t budget(std::uint32_t buckets, duration initial_timeout) noexcept {
    const duration runs = initial_timeout / Period;
    if (runs <= 0) return buckets;
    const auto b = static_cast<std::uint32_t>(2 * (buckets / runs));
    return b > 0 ? b : 1;
  }
};

/// `sweeps` tells the two kinds apart; the rest is as above.
template <class P>
concept clockwork_policy = (!P::sweeps &&
                            requires {
                              { P::ties } -> std::convertible_to<tie_order>;
                            }) ||
                           (P::sweeps && requires(std::uint32_t n, duration d) {
                             { P::period } -> std::convertible_to<duration>;
                             { P::budget(n, d) } -> std::same_as<std::uint32_t>;
                           });

using default_clockwork = exact<>;

namespace slot {
struct clockwork {
  static constexpr const char* name = "clockwork";
};
}  // namespace slot
/// Keyword: what drives the ageing of requests.
template <clockwork_policy P = default_clockwork>
struct clockwork {
  using slot = listenq::slot::clockwork;
  using policy = P;
};

}  // namespace listenq
