// SPDX-License-Identifier: BSL-1.0
// Which policies do not go together: each pair that would not do what it says, in one sentence at compile time.
// That a policy answers its slot at all is the affair of its concept (policy/*.hpp).
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/composition.hpp>
#include <listenq/detail/parts.hpp>
#include <listenq/queue/compact_requests.hpp>
#include <type_traits>

namespace listenq::detail {

/// Does the window of its cookies find the buckets that it asks about?
template <class Cookies, class Sizing>
inline constexpr bool window_has_buckets = true;
template <class Cookies, class Sizing>
requires(Cookies::possible) inline constexpr bool window_has_buckets<Cookies, Sizing> =
    !Cookies::window_type::needs_buckets || bucketed<Sizing>;

/// Does a cookie that is in every ISS find its bucket again when it comes back?
template <class Cookies, class Sizing>
inline constexpr bool cookies_find_bucket = true;
template <class Cookies, class Sizing>
requires(Cookies::in_iss&& bucketed<Sizing>) inline constexpr bool cookies_find_bucket<Cookies, Sizing> =
    Sizing::seeds::sets == 1;

/// Has a row of gates one of this owner?
template <class Admission, gate_owner Owner>
inline constexpr bool has_gate = Admission::any([]<class G>() { return G::owner == Owner; });
/// Has it one that requests alone can close for want of room in the accept queue?
template <class Admission, class Waiting>
inline constexpr bool evicting_opens_accept_queue = Admission::any([]<class G>() {
  constexpr queue_lengths many{.accepted = 0, .requests = 0xffffffffU};
  return G::owner == gate_owner::accept_queue &&
         G::closed({.lengths = many, .backlog = 1, .accept_full = Waiting::full(many, 1)}, any_tunables{});
});

/// A pool without buckets takes any sizing but a syncache.
template <class Sizing, class Requests>
inline constexpr bool sizing_suits_pool = true;
template <class Sizing, class Requests>
requires Requests::borrows inline constexpr bool sizing_suits_pool<Sizing, Requests> =
    std::same_as<Sizing, typename Requests::pool_type::sizing_type> ||
    (!bucketed<Sizing> && !bucketed<typename Requests::pool_type::sizing_type>);

/// Made for a listener: fails to compile if one of its policies `P` is in vain beside another.
template <class P>
struct sound {
  using cookies = typename P::cookies;
  using admission = typename P::admission;
  using sizing = typename P::sizing;
  using budget = typename P::budget;
  using request_full = typename P::request_full;
  using accept_full_at_syn = typename P::accept_full_at_syn;
  using requests = typename P::requests;
  using waiting = typename P::waiting;
  using validation = typename P::validation;
  using schedule = typename P::schedule;
  using family = typename P::family;
  using clockwork = typename P::clockwork;

  static_assert(
      !cookies::possible || has_gate<admission, gate_owner::request_queue>,
      "listenq::listener: cookies are asked for at gates::request_queue, and this admission has no such gate.");
  static_assert(window_has_buckets<cookies, sizing>,
                "listenq::listener: this window opens when a bucket overflows; use sizing<syncache<...>>, too.");
  static_assert(cookies_find_bucket<cookies, sizing>,
                "listenq::listener: these cookies are bound to their bucket; use a syncache that is not reseeded.");
  static_assert(!pauses<cookies> || bucketed<sizing>,
                "listenq::listener: a pause begins when a bucket overflows; use sizing<syncache<...>>, too.");
  static_assert(std::is_empty_v<budget> || has_gate<admission, gate_owner::budget>,
                "listenq::listener: a budget is asked at gates::budget, and this admission has no such gate.");
  static_assert(!evictions_in<P>.any(syn_answer::evict_in_bucket, syn_answer::evict_from_here_on) || bucketed<sizing>,
                "listenq::listener: only a syncache has buckets to evict from; use sizing<syncache<...>>, too.");
  static_assert(sizing_suits_pool<sizing, requests>,
                "listenq::listener: where a syncache is shared, the pool and its listeners have the same sizing.");
  static_assert(evictions_of<accept_full_at_syn> == syn_answers{} || evicting_opens_accept_queue<admission, waiting>,
                "listenq::listener: evicting helps a full accept queue only where waiting<...> counts both queues.");
  static_assert(!evictions_in<P>.has(syn_answer::evict_oldest) || !bucketed<sizing>,
                "listenq::listener: a syncache knows the oldest of a bucket, not of all; use evict_in_bucket.");
  static_assert(
      !evictions_of<request_full>.any(syn_answer::evict_random, syn_answer::evict_random_or_none,
                                      syn_answer::evict_most_retried) ||
          !bucketed<sizing>,
      "listenq::listener: whoever goes from another bucket of a syncache makes no room; use evict_in_bucket.");
  static_assert(!is_compact<requests> || validation::rate_limit <= 0,
                "listenq::listener: compact requests do not remember answers; use a validation without rate_limit.");
  static_assert(
      !is_compact<requests> || !validation::checks_echo,
      "listenq::listener: compact requests do not remember timestamps; use a validation without checks_echo.");
  static_assert(!is_compact<requests> || waits_at_most<schedule>(compact_layout<family>::longest),
                "listenq::listener: compact requests wait six days at most; use another schedule.");
  static_assert(!evictions_in<P>.any(syn_answer::evict_most_retried, syn_answer::drop_and_evict_most_retried) ||
                    !clockwork::sweeps,
                "listenq::listener: who has been retried most is read off the timers; use exact<>, not sweep<>.");

  static constexpr bool value = true;
};

}  // namespace listenq::detail
