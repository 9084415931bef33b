// SPDX-License-Identifier: BSL-1.0
// The parts of a listener that its policies choose: the queue of requests, the hand of a sweep, what random numbers and
// a shared pool need. Types only; `state` holds one of each.
#pragma once

#include <cstdint>
#include <listenq/composition.hpp>
#include <listenq/queue/compact_requests.hpp>
#include <listenq/queue/request_queue.hpp>
#include <listenq/queue/shared_requests.hpp>
#include <type_traits>

namespace listenq::detail {

/// The evictions that a composition may ask for.
template <class P>
inline constexpr syn_answers evictions_in =
    evictions_of<typename P::request_full> | evictions_of<typename P::accept_full_at_syn>;

/// What a composition may ask about who came first.
template <class P>
struct order_for {
  using type = std::conditional_t<evictions_in<P>.has(syn_answer::evict_oldest), one_line, no_order>;
};
template <class P>
requires bucketed<typename P::sizing>
struct order_for<P> {
  using type = bucket_lines<typename P::sizing>;
};

/// The queue that a composition keeps its requests in.
template <class P>
struct requests_for {
  using layout = std::conditional_t<is_compact<typename P::requests>, compact_layout<typename P::family>,
                                    whole_layout<typename P::family>>;
  using type = request_queue<typename P::family, typename P::clockwork, P::schedule::classes,
                             typename order_for<P>::type, typename P::storage, layout>;
};
template <class P>
requires P::requests::borrows struct requests_for<P> {
  using type = borrowed_requests<typename P::requests::pool_type, typename P::clockwork, P::schedule::classes>;
};

/// How many random numbers have been drawn.
struct draw_count {
  std::uint64_t value = 0;
};
struct no_draws {};

/// Does a composition draw any?
template <class P>
inline constexpr bool draws = evictions_in<P>.any(syn_answer::evict_random, syn_answer::evict_random_or_none);
template <class P>
requires bucketed<typename P::sizing>
inline constexpr bool draws<P> =
    evictions_in<P>.any(syn_answer::evict_random, syn_answer::evict_random_or_none) || (P::sizing::seeds::sets > 1);

/// What a listener that borrows leaves with the pool: its budget hears of requests that neighbours evict.
template <class Key, class Budget>
struct budget_hook : owner_hook<Key> {
  Budget* budget = nullptr;
  constexpr budget_hook() noexcept
      : owner_hook<Key>{[](owner_hook<Key>& self, const Key& key) noexcept {
          static_cast<budget_hook&>(self).budget->left(key, departure::evicted);
        }} {}
};
struct no_hook {};

/// Where the hand of a sweep stands, and when it moves next.
struct hand {
  instant due = 0;
  std::uint32_t bucket = 0;
  std::uint32_t left = 0;  ///< buckets of a visit that was cut short
  /// The first request has come.
  constexpr void start(instant at) noexcept { due = at, left = 0; }
};
struct no_hand {};

}  // namespace listenq::detail
