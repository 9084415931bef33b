// SPDX-License-Identifier: BSL-1.0
// waiting: how many finished connections may wait for accept(): what is counted, and against which bound.
// It says "full" or "not full". What then happens is asked of `accept_full_at_syn` and `accept_full_at_ack`.
//
// When to use which: `backlog_plus_one` for every Linux (`A > N`), gVisor and Shadow; `backlog_16_bits` for the field
// that it was kept in; `exactly_backlog` for "N means N" (Onload, mTCP, NuttX, Windows NT); `three_halves_plus_one` for
// FreeBSD and, as far as it was measured, Solaris; `three_halves` for HP-UX. Where half-open connections take the same
// slots: `sum_to_backlog` (XNU, lwIP, Seastar, turmoil, picoTCP), `sum_to_three_halves` (XNU, other mode),
// `sum_to_three_halves_plus_one` (4.4BSD, NetBSD), `sum_to_three_times` (OpenBSD).
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

/// Linux, sk_acceptq_is_full
using backlog_plus_one = over<>;
/// Linux to 4.3 where somaxconn is 65536 or more: sk_max_ack_backlog has 16 bits
using backlog_16_bits = over<pipeline<low_bits<16>>>;
/// N, and not one more
using exactly_backlog = reached<>;
/// FreeBSD 13, sonewconn; Solaris 2.9 but for listen(4), Mac OS 10.2, AIX 5.1 (UNP, figure 4.10)
using three_halves_plus_one = over<pipeline<times<3, 2>>>;
/// HP-UX 11.11 (UNP, figure 4.10)
using three_halves = reached<pipeline<times<3, 2>, at_least<1>>>;
/// 4.4BSD and NetBSD, sonewconn
using sum_to_three_halves_plus_one = over<pipeline<times<3, 2>>, counted::both_queues>;
/// OpenBSD, sonewconn
using sum_to_three_times = over<pipeline<times<3>>, counted::both_queues>;
/// XNU, sonewconn_internal; lwIP, Seastar, turmoil
using sum_to_backlog = reached<pipeline<>, counted::both_queues>;
/// XNU with soqlimitcompat=0
using sum_to_three_halves = reached<pipeline<times<3, 2>>, counted::both_queues>;

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
