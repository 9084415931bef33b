// SPDX-License-Identifier: BSL-1.0
// waiting: how many finished connections may wait for accept(): what is counted, and against which bound.
// It says "full" or "not full". What then happens is asked of `accept_full_at_syn` and `accept_full_at_ack`.
//
// When to use which: `backlog_plus_one` for every Linux (`A > N`), `exactly_backlog` for "N means N",
// `three_halves_plus_one` for the BSD line, `sum_to_three_times` for OpenBSD, `sum_to_backlog` for XNU and lwIP-like
// stacks whose half-open connections take the same slots.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/policy/sizing.hpp>

namespace listenq {

/// The lengths that a fullness test may look at.
struct queue_lengths {
  std::uint32_t accepted = 0;  ///< A: finished handshakes nobody has accepted
  std::uint32_t requests = 0;  ///< Q: requests
};

/// What is counted against the bound.
enum class counted : std::uint8_t { accept_queue, both_queues };

/// `full(lengths, N)`: may no further connection enter? `capacity(N)`: the most that can ever wait.
template <class P>
concept waiting_policy = requires(queue_lengths q, std::uint32_t backlog) {
  { P::full(q, backlog) } -> std::same_as<bool>;
  { P::capacity(backlog) } -> std::same_as<std::uint32_t>;
};

namespace detail {
template <counted What>
constexpr std::uint64_t count(queue_lengths q) noexcept {
  return What == counted::accept_queue ? q.accepted : std::uint64_t{q.accepted} + q.requests;
}
}  // namespace detail

/// Full when the count is *more than* the bound, so bound + 1 fit.
template <class Bound = pipeline<>, counted What = counted::accept_queue>
struct over {
  static_assert(tunables_of<Bound> == tunable_set{}, "listenq: a bound on the accept queue cannot read tunables.");
  static constexpr const char* name = "over";
  static constexpr bool full(queue_lengths q, std::uint32_t backlog) noexcept {
    return detail::count<What>(q) > Bound::apply(backlog, any_tunables{});
  }
  static constexpr std::uint32_t capacity(std::uint32_t backlog) noexcept {
    return plus<1>::apply(Bound::apply(backlog, any_tunables{}), any_tunables{});
  }
};

/// Full when the count has *reached* the bound, so the bound itself fits.
template <class Bound = pipeline<>, counted What = counted::accept_queue>
struct reached {
  static_assert(tunables_of<Bound> == tunable_set{}, "listenq: a bound on the accept queue cannot read tunables.");
  static constexpr const char* name = "reached";
  static constexpr bool full(queue_lengths q, std::uint32_t backlog) noexcept {
    return detail::count<What>(q) >= Bound::apply(backlog, any_tunables{});
  }
  static constexpr std::uint32_t capacity(std::uint32_t backlog) noexcept {
    return Bound::apply(backlog, any_tunables{});
  }
};

using backlog_plus_one = over<>;                                            ///< Linux, sk_acceptq_is_full
using exactly_backlog = reached<>;                                          ///< N
using three_halves_plus_one = over<pipeline<times<3, 2>>>;                  ///< FreeBSD 13, sonewconn
using sum_to_three_times = over<pipeline<times<3>>, counted::both_queues>;  ///< OpenBSD, sonewconn
using sum_to_backlog = reached<pipeline<>, counted::both_queues>;           ///< XNU, sonewconn_internal

using default_waiting = backlog_plus_one;

namespace slot {
struct waiting {
  static constexpr const char* name = "waiting";
};
}  // namespace slot
/// Keyword: how many finished connections may wait.
template <waiting_policy P = default_waiting>
struct waiting {
  using slot = listenq::slot::waiting;
  using policy = P;
};

}  // namespace listenq
