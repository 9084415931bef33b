// SPDX-License-Identifier: BSL-1.0
// The request queue: half-open connections, found by four-tuple, aged by timers, oldest known where that is asked for.
//
//   cells:    [ request | next | head | timer links ][ ... ]      one array, one allocation
//   chains:   head of bucket b lives in cell b; a chain is newest first
//   timers:   `timer_lists` through the cells, or none where a hand sweeps over the chains
//
// Invariants, for tests/queue/request_queue.cpp to break:
//  - `size()` = cells reachable by key = cells reachable by iteration; at most one request for a four-tuple;
//  - `young()` = requests with `timeouts == 0`; 0 <= young <= size <= capacity;
//  - with timers, every request is in exactly one list and `first_due` is the smallest deadline;
//  - an index stays valid, and means the same request, until that request is removed, whatever else comes and goes.
// It neither hashes (the caller passes the hash) nor decides anything: it does not know limits, policies or segments.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <listenq/policy/clockwork.hpp>
#include <listenq/policy/storage.hpp>
#include <listenq/queue/request.hpp>
#include <listenq/queue/timer_lists.hpp>
#include <type_traits>

namespace listenq {

namespace detail {

struct timer_links {
  std::uint32_t timer_prev = npos;
  std::uint32_t timer_next = npos;
};
struct age_links {
  std::uint32_t age_prev = npos;
  std::uint32_t age_next = npos;
};
struct no_timer_links {};
struct no_age_links {};

template <class Request, bool Timers, bool Ages>
struct request_cell : Request,
                      std::conditional_t<Timers, timer_links, no_timer_links>,
                      std::conditional_t<Ages, age_links, no_age_links> {
  std::uint32_t next = npos;  ///< in its chain, or in the free list
  std::uint32_t head = npos;  ///< of the bucket with this cell's number
};

/// Stands in for the timer lists where a hand sweeps.
struct no_timers {};

template <class Clockwork>
inline constexpr tie_order ties_of = tie_order::oldest_first;
template <class Clockwork>
requires requires { Clockwork::ties; }
inline constexpr tie_order ties_of<Clockwork> = Clockwork::ties;

}  // namespace detail

/// `Clockwork` says whether there are timers, `Classes` how many lengths of timeout there are, `Ages` whether `oldest`
/// is asked for. Every operation is O(1) (a chain is O(1) with a keyed hash and at most two requests a bucket), but
/// `reserve`, `clear` and iteration.
template <addressing A, clockwork_policy Clockwork, std::size_t Classes, bool Ages, storage_policy Storage>
class request_queue {
 public:
  using request_type = request<A>;
  using key_type = basic_four_tuple<A>;
  using index = std::uint32_t;
  static constexpr index npos = detail::npos;
  static constexpr bool has_timers = !Clockwork::sweeps;
  using cell = detail::request_cell<request_type, has_timers, Ages>;

  /// Makes room for `n` requests in all, over `bit_floor(n)` buckets; the stored ones stay. False, and nothing changed,
  /// if the storage is too small.
  constexpr bool reserve(std::uint32_t n, Storage& source) noexcept {
    if (n <= capacity_) return true;
    if (!cells_.reserve(n, source)) return false;
    for (index i = 0; i < n; ++i) cells_[i].head = npos;
    capacity_ = n;
    buckets_ = std::bit_floor(n);
    return true;
  }
  /// To be called after a `reserve` that grew a queue with requests in it: `hash_of(key)` for each of them.
  template <class HashOf>
  constexpr void rehash(HashOf&& hash_of) noexcept {
    for (index i = 0; i < used_; ++i) {
      if (cells_[i].live) push_front(i, bucket_of(hash_of(cells_[i].key)));
    }
  }
  constexpr std::size_t most(const Storage& source) const noexcept { return cells_.most(source); }

  constexpr std::uint32_t size() const noexcept { return size_; }
  constexpr std::uint32_t young() const noexcept { return young_; }
  constexpr std::uint32_t capacity() const noexcept { return capacity_; }
  constexpr std::uint32_t buckets() const noexcept { return buckets_; }

  constexpr request_type& operator[](index i) noexcept { return cells_[i]; }
  constexpr const request_type& operator[](index i) const noexcept { return cells_[i]; }

  /// The request of this four-tuple, or `npos`.
  constexpr index find(const key_type& key, std::uint32_t hash) const noexcept {
    if (size_ == 0) return npos;
    index i = cells_[bucket_of(hash)].head;
    while (i != npos && !(cells_[i].key == key)) i = cells_[i].next;
    return i;
  }

  /// Stores `r`, which must not be there yet, as young and with its deadline set; `npos` if the storage is full.
  constexpr index insert(const request_type& r, std::uint32_t hash) noexcept {
    index i = free_;
    if (i != npos) {
      free_ = cells_[i].next;
    } else if (used_ < capacity_) {
      i = used_++;
    } else {
      return npos;
    }
    static_cast<request_type&>(cells_[i]) = r;
    cells_[i].live = true;
    push_front(i, bucket_of(hash));
    ++size_;
    if (r.timeouts == 0) ++young_;
    if constexpr (has_timers) timers_.insert(cells_, i, list_of(i));
    if constexpr (Ages) age_append(i);
    return i;
  }

  /// Removes a stored request; `hash` is its key's.
  constexpr void remove(index i, std::uint32_t hash) noexcept {
    if constexpr (has_timers) timers_.remove(cells_, i, list_of(i));
    if constexpr (Ages) age_remove(i);
    std::uint32_t* link = &cells_[bucket_of(hash)].head;
    while (*link != i) link = &cells_[*link].next;
    *link = cells_[i].next;
    if (cells_[i].timeouts == 0) --young_;
    --size_;
    cells_[i].live = false;
    cells_[i].next = free_;
    free_ = i;
  }

  /// Moves its deadline.
  constexpr void restart(index i, instant deadline) noexcept {
    if constexpr (has_timers) timers_.remove(cells_, i, list_of(i));
    cells_[i].deadline = deadline;
    if constexpr (has_timers) timers_.insert(cells_, i, list_of(i));
  }

  /// One timeout more, and the next deadline; a young request becomes old. The count stays at 255.
  constexpr void time_out(index i, instant deadline) noexcept {
    if constexpr (has_timers) timers_.remove(cells_, i, list_of(i));
    if (cells_[i].timeouts == 0) --young_;
    if (cells_[i].timeouts < 255) ++cells_[i].timeouts;
    cells_[i].deadline = deadline;
    if constexpr (has_timers) timers_.insert(cells_, i, list_of(i));
  }

  /// The request whose deadline comes first, or `npos`.
  constexpr index first_due() const noexcept requires has_timers { return timers_.first(cells_); }

  /// The request that was stored first, or `npos`.
  constexpr index oldest() const noexcept requires Ages { return age_head_; }

  /// The newest request of a bucket and the next older one, for a hand that sweeps; `npos` at the end.
  constexpr index bucket_front(std::uint32_t bucket) const noexcept { return cells_[bucket].head; }
  constexpr index bucket_next(index i) const noexcept { return cells_[i].next; }

  /// Any request, then the others, in no particular order; `npos` at the end. O(capacity) over all.
  constexpr index next_stored(index i = npos) const noexcept {
    for (index k = i == npos ? 0 : i + 1; k < used_; ++k) {
      if (cells_[k].live) return k;
    }
    return npos;
  }

  /// Forgets all of them. O(capacity).
  constexpr void clear() noexcept {
    for (index i = 0; i < capacity_; ++i) cells_[i].head = npos;
    for (index i = 0; i < used_; ++i) cells_[i].live = false;
    used_ = size_ = young_ = 0;
    free_ = age_head_ = age_tail_ = npos;
    if constexpr (has_timers) timers_.clear();
  }

 private:
  using cells_type = typename Storage::template array<cell, stored::requests>;

  constexpr std::uint32_t bucket_of(std::uint32_t hash) const noexcept { return hash & (buckets_ - 1); }
  constexpr std::size_t list_of(index i) const noexcept {
    const std::size_t t = cells_[i].timeouts;
    return t < Classes ? t : Classes - 1;
  }
  constexpr void push_front(index i, std::uint32_t bucket) noexcept {
    cells_[i].next = cells_[bucket].head;
    cells_[bucket].head = i;
  }
  constexpr void age_append(index i) noexcept {
    cells_[i].age_prev = age_tail_;
    cells_[i].age_next = npos;
    (age_tail_ == npos ? age_head_ : cells_[age_tail_].age_next) = i;
    age_tail_ = i;
  }
  constexpr void age_remove(index i) noexcept {
    const cell& c = cells_[i];
    (c.age_prev == npos ? age_head_ : cells_[c.age_prev].age_next) = c.age_next;
    (c.age_next == npos ? age_tail_ : cells_[c.age_next].age_prev) = c.age_prev;
  }

  cells_type cells_{};
  std::uint32_t capacity_ = 0;
  std::uint32_t buckets_ = 0;
  std::uint32_t used_ = 0;  ///< cells from here on have never been used
  std::uint32_t size_ = 0;
  std::uint32_t young_ = 0;
  std::uint32_t free_ = npos;
  std::uint32_t age_head_ = npos;
  std::uint32_t age_tail_ = npos;
  [[no_unique_address]] std::conditional_t<has_timers, detail::timer_lists<Classes, detail::ties_of<Clockwork>>,
                                           detail::no_timers>
      timers_{};
};

}  // namespace listenq
