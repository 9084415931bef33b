// SPDX-License-Identifier: BSL-1.0
// The request queue: one listener's half-open connections, found by four-tuple, aged by timers, counted young and old.
//
// Invariants, for tests/queue/request_queue.cpp to break:
//  - `size()` = requests reachable by key = requests reachable by iteration; at most one for a four-tuple;
//  - `young()` = requests with `timeouts == 0`; 0 <= young <= size <= capacity;
//  - with timers, every request is in exactly one list and `first_due` is the smallest deadline;
//  - an index stays valid, and means the same request, until that request is removed, whatever else comes and goes;
//  - with the buckets of a syncache, their lengths add up to `size()`.
// It neither hashes (the caller passes the hash) nor decides anything: it does not know limits, policies or segments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/policy/clockwork.hpp>
#include <listenq/queue/request_table.hpp>
#include <type_traits>

namespace listenq {

namespace detail {

/// Stands in for the timer lists where a hand sweeps.
struct no_timers {};

template <class Clockwork>
inline constexpr tie_order ties_of = tie_order::oldest_first;
template <class Clockwork>
requires requires { Clockwork::ties; }
inline constexpr tie_order ties_of<Clockwork> = Clockwork::ties;

}  // namespace detail

/// `Clockwork` says whether there are timers, `Classes` how many lengths of timeout there are, `Order` what can be
/// asked about who came first, `Layout` how requests lie in memory (`whole_layout`). Costs are those of
/// `request_table`.
template <addressing A, clockwork_policy Clockwork, std::size_t Classes, class Order, storage_policy Storage,
          class Layout = detail::whole_layout<A>>
class request_queue {
 public:
  using request_type = request<A>;
  using key_type = basic_four_tuple<A>;
  using index = std::uint32_t;
  static constexpr index npos = detail::npos;
  static constexpr bool has_timers = !Clockwork::sweeps;
  using order_type = Order;
  using cell = typename Layout::cell;
  using stored_type = typename Layout::stored_type;
  using links = detail::request_links<has_timers, Order>;

  /// What a request takes, its place in the table and its timer included.
  static constexpr std::size_t bytes_each = detail::request_table<cell, links, Order, Storage>::bytes_each;

  /// Makes room for `n` requests in all; the stored ones stay. False, and nothing changed, if the storage is too small.
  constexpr bool reserve(std::uint32_t n, Storage& source) noexcept { return table_.reserve(n, source); }
  /// After a `reserve` that grew a queue with requests in it: spreads them over the new buckets, `hash_of(key)` for
  /// each.
  template <class HashOf>
  constexpr void rehash(HashOf&& hash_of) noexcept {
    table_.rehash([&](const cell& c) { return hash_of(c.key); });
  }
  constexpr std::size_t most(const Storage& source) const noexcept { return table_.most(source); }

  constexpr std::uint32_t size() const noexcept { return size_; }
  constexpr std::uint32_t young() const noexcept { return young_; }
  constexpr std::uint32_t capacity() const noexcept { return table_.capacity(); }
  constexpr std::uint32_t buckets() const noexcept { return table_.buckets(); }
  /// Does it hold `limit` requests or more?
  constexpr bool full(std::uint32_t limit) const noexcept { return size_ >= limit; }
  /// Is there no room for a newcomer with this hash? In a syncache that is a question of its bucket, too.
  constexpr bool full(std::uint32_t limit, std::uint32_t hash) const noexcept {
    if constexpr (requires { order().full(hash); }) {
      return order().full(hash);
    } else {
      return full(limit);
    }
  }

  /// A stored request, but for its deadline.
  constexpr stored_type& operator[](index i) noexcept { return table_[i]; }
  constexpr const stored_type& operator[](index i) const noexcept { return table_[i]; }
  constexpr instant deadline(index i) const noexcept { return layout_.deadline(table_[i]); }
  /// All of it: a reference or, where it does not lie in memory like that, a copy.
  constexpr decltype(auto) whole(index i) const noexcept { return layout_.whole(table_[i]); }
  /// What is kept of a deadline.
  static constexpr instant rounded(instant deadline) noexcept { return Layout::rounded(deadline); }
  constexpr const links& links_of(index i) const noexcept { return table_.links_of(i); }

  /// The request of this four-tuple, or `npos`.
  [[gnu::always_inline]] constexpr index find(const key_type& key, std::uint32_t hash) const noexcept {
    if (size_ == 0) return npos;
    return table_.find(hash, [&key](const cell& c) { return c.key == key; });
  }

  /// The request for whose four-tuple `is(key)`; there must be room for one at least.
  template <class Is>
  [[gnu::always_inline]] constexpr index seek(std::uint32_t hash, Is&& is) const noexcept {
    return table_.find(hash, [&is](const cell& c) { return is(c.key); });
  }

  /// Two steps ahead of a `find`: see `request_table`. There must be a bucket.
  [[gnu::always_inline]] void fetch_bucket(std::uint32_t hash) const noexcept { table_.fetch_bucket(hash); }
  [[gnu::always_inline]] void fetch_first(std::uint32_t hash) const noexcept { table_.fetch_first(hash); }
  template <std::size_t Most, class HashOf>
  [[gnu::always_inline]] void fetch_chains(std::size_t n, HashOf&& hash_of) const noexcept {
    table_.template fetch_chains<Most>(n, hash_of);
  }

  /// Where the next request goes, to be filled in and then stored; `npos` if the storage is full.
  [[gnu::always_inline]] constexpr index take() noexcept { return table_.take(); }

  /// Stores what `take` has yielded: a young one, filled in, and not there yet.
  [[gnu::always_inline]] constexpr void store(index i, instant deadline, std::uint32_t hash) noexcept {
    layout_.set_deadline(table_[i], deadline);
    table_.store(i, hash);
    ++size_;
    ++young_;
    if constexpr (has_timers) timers_.insert(deadlines(), table_.links(), i, 0);
  }
  /// Stores a copy of `r`, of whatever age; `npos` if the storage is full.
  constexpr index insert(const request_type& r, std::uint32_t hash) noexcept {
    const index i = take();
    if (i == npos) return npos;
    layout_.put(table_[i], r);
    table_.store(i, hash);
    ++size_;
    if (r.timeouts == 0) ++young_;
    if constexpr (has_timers) timers_.insert(deadlines(), table_.links(), i, list_of(i));
    return i;
  }

  /// Removes a stored request; `hash` is its key's.
  [[gnu::always_inline]] constexpr void remove(index i, std::uint32_t hash) noexcept {
    if (table_[i].timeouts == 0) [[likely]] {
      --young_;
      if constexpr (has_timers) timers_.remove(table_.links(), i, 0);
    } else {
      if constexpr (has_timers) timers_.remove(table_.links(), i, list_of(i));
    }
    table_.remove(i, hash);
    --size_;
  }

  /// Moves its deadline.
  [[gnu::always_inline]] constexpr void restart(index i, instant deadline) noexcept {
    if constexpr (has_timers) timers_.remove(table_.links(), i, list_of(i));
    layout_.set_deadline(table_[i], deadline);
    if constexpr (has_timers) timers_.insert(deadlines(), table_.links(), i, list_of(i));
  }

  /// Back to no timeout at all, and the first deadline; an old request becomes young.
  constexpr void start_over(index i, instant deadline) noexcept {
    if constexpr (has_timers) timers_.remove(table_.links(), i, list_of(i));
    if (table_[i].timeouts != 0) ++young_;
    table_[i].timeouts = 0;
    layout_.set_deadline(table_[i], deadline);
    if constexpr (has_timers) timers_.insert(deadlines(), table_.links(), i, list_of(i));
  }

  /// One timeout more, and the next deadline; a young request becomes old. The count stays at 255.
  constexpr void time_out(index i, instant deadline) noexcept {
    if constexpr (has_timers) timers_.remove(table_.links(), i, list_of(i));
    if (table_[i].timeouts == 0) --young_;
    if (table_[i].timeouts < 255) ++table_[i].timeouts;
    layout_.set_deadline(table_[i], deadline);
    if constexpr (has_timers) timers_.insert(deadlines(), table_.links(), i, list_of(i));
  }

  /// The request whose deadline comes first, or `npos`.
  constexpr index first_due() const noexcept requires has_timers { return timers_.first(deadlines()); }

  /// The request with the most timeouts (as far as schedules tell them apart), of several the first due, or `npos`.
  constexpr index most_retried() const noexcept requires has_timers { return timers_.first_of_longest(); }

  /// Who came before whom: what `Order` can tell.
  constexpr Order& order() noexcept { return table_.order(); }
  constexpr const Order& order() const noexcept { return table_.order(); }
  /// The request that was stored first, or `npos`. The limit is for queues that are shared.
  constexpr index oldest(std::uint32_t = 0) const noexcept { return order().oldest(); }
  /// Any request, each as likely as the others, or `npos`; `draw()` yields random 32-bit numbers.
  template <class Draw>
  constexpr index random(Draw&& draw, std::uint32_t = 0) const noexcept {
    return table_.random(draw, [](index) { return true; });
  }

  /// The newest request of a bucket and the next older one, for a hand that sweeps; `npos` at the end.
  constexpr index bucket_front(std::uint32_t bucket) const noexcept { return table_.bucket_front(bucket); }
  constexpr index bucket_next(index i) const noexcept { return table_.bucket_next(i); }

  /// Any request, then the others, in no particular order; `npos` at the end. O(capacity) over all.
  constexpr index next_stored(index i = npos) const noexcept { return table_.next_stored(i); }

  /// Forgets all of them. O(capacity).
  constexpr void clear() noexcept {
    table_.clear();
    size_ = young_ = 0;
    if constexpr (has_timers) timers_.clear();
  }

 private:
  using table_type = detail::request_table<cell, links, Order, Storage>;

  [[gnu::always_inline]] constexpr decltype(auto) deadlines() const noexcept {
    return layout_.deadlines(table_.cells());
  }

  [[gnu::always_inline]] constexpr std::size_t list_of(index i) const noexcept {
    const std::size_t t = table_[i].timeouts;
    return t < Classes ? t : Classes - 1;
  }

  table_type table_{};
  [[no_unique_address]] Layout layout_{};
  std::uint32_t size_ = 0;
  std::uint32_t young_ = 0;
  [[no_unique_address]] std::conditional_t<has_timers, detail::timer_lists<Classes, detail::ties_of<Clockwork>>,
                                           detail::no_timers>
      timers_{};
};

}  // namespace listenq
