// SPDX-License-Identifier: BSL-1.0
// The request table: cells in one array, found by hash, with a free list and, where it is asked for, the order in which
// they came (request_order.hpp). It knows neither timers nor whose request is whose; `request_queue` and
// `shared_requests` do.
//
//   cells:   [ request | next | head | links ][ ... ]     one array, one allocation
//   chains:  the head of bucket b lives in cell b; a chain is newest first
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <listenq/policy/storage.hpp>
#include <listenq/queue/request.hpp>
#include <listenq/queue/request_order.hpp>
#include <listenq/queue/timer_lists.hpp>
#include <type_traits>

namespace listenq::detail {

struct timer_links {
  std::uint32_t timer_prev = npos;
  std::uint32_t timer_next = npos;
};
/// Whose it is in a shared table, and the hash that its owner gave it.
struct owner_mark {
  std::uint32_t owner = 0;
  std::uint32_t hash = 0;
};
struct no_timer_links {};
struct no_owner_mark {};

template <class Request, bool Timers, class Order, bool Owners>
struct request_cell : Request,
                      std::conditional_t<Timers, timer_links, no_timer_links>,
                      Order::links,
                      std::conditional_t<Owners, owner_mark, no_owner_mark> {
  std::uint32_t next = npos;  ///< in its chain, or in the free list
  std::uint32_t head = npos;  ///< of the bucket with this cell's number
};

/// Every operation is O(1) (a chain is O(1) with a keyed hash and at most two requests a bucket), but `reserve`,
/// `rehash`, `clear` and iteration.
template <class Cell, class Order, storage_policy Storage>
class request_table {
 public:
  using index = std::uint32_t;

  /// Room for `n` in all; the stored ones stay. False, and nothing changed, if the storage is too small. Over
  /// `bit_floor(n)` buckets at once if nothing is stored, else from the next `rehash` on.
  constexpr bool reserve(std::uint32_t n, Storage& source) noexcept {
    if (n <= capacity_) return true;
    if (!cells_.reserve(n, source)) return false;
    capacity_ = n;
    if (next_stored() == npos) buckets_ = std::bit_floor(n);
    return true;
  }
  /// Spreads the stored ones over all the buckets that there are room for: `hash_of(cell)` for each. Chains stay newest
  /// first, because each new bucket takes from one old bucket only.
  template <class HashOf>
  constexpr void rehash(HashOf&& hash_of) noexcept {
    index oldest_first = npos;
    for (std::uint32_t b = 0; b < buckets_; ++b) {
      index i = cells_[b].head;
      cells_[b].head = npos;
      while (i != npos) {
        const index older = cells_[i].next;
        cells_[i].next = oldest_first;
        oldest_first = i;
        i = older;
      }
    }
    buckets_ = std::bit_floor(capacity_);
    while (oldest_first != npos) {
      const index i = oldest_first;
      oldest_first = cells_[i].next;
      push_front(i, bucket_of(hash_of(cells_[i])));
    }
  }
  constexpr std::size_t most(const Storage& source) const noexcept { return cells_.most(source); }
  constexpr std::uint32_t capacity() const noexcept { return capacity_; }
  constexpr std::uint32_t buckets() const noexcept { return buckets_; }
  constexpr Cell& operator[](index i) noexcept { return cells_[i]; }
  constexpr const Cell& operator[](index i) const noexcept { return cells_[i]; }

  /// The first one in the hash's chain for which `is(cell)`, or `npos`. There must be a bucket.
  template <class Is>
  [[gnu::always_inline]] constexpr index find(std::uint32_t hash, Is&& is) const noexcept {
    index i = cells_[bucket_of(hash)].head;
    while (i != npos && !is(cells_[i])) i = cells_[i].next;
    return i;
  }

  /// Has the hash's bucket, and then the first cell of its chain, brought into the cache.
  void fetch_bucket(std::uint32_t hash) const noexcept { __builtin_prefetch(&cells_[bucket_of(hash)]); }
  void fetch_chain(std::uint32_t hash) const noexcept {
    if (const index i = cells_[bucket_of(hash)].head; i != npos) __builtin_prefetch(&cells_[i]);
  }

  /// The cell that the next `store` takes, to be filled before; `npos` if there is no room.
  constexpr index vacant() const noexcept { return free_ != npos ? free_ : used_ < capacity_ ? used_ : npos; }

  /// Takes the vacant cell `i`, which is filled, to be found under `hash`.
  [[gnu::always_inline]] constexpr void store(index i, std::uint32_t hash) noexcept {
    if (free_ == i) {
      free_ = cells_[i].next;
    } else {
      ++used_;
    }
    cells_[i].live = true;
    push_front(i, bucket_of(hash));
    order_.enter(cells_, i, hash);
  }

  [[gnu::always_inline]] constexpr void remove(index i, std::uint32_t hash) noexcept {
    order_.leave(cells_, i, hash);
    index* link = &cells_[bucket_of(hash)].head;
    while (*link != i) link = &cells_[*link].next;
    *link = cells_[i].next;
    cells_[i].live = false;
    cells_[i].next = free_;
    free_ = i;
  }

  /// Who came before whom.
  constexpr Order& order() noexcept { return order_; }
  constexpr const Order& order() const noexcept { return order_; }

  /// One for which `wanted(index)`, each as likely as the others; `npos` if there is none. `draw()` yields random
  /// numbers. Expected O(capacity / number of them); after 64 draws in vain, the first from a random place on.
  template <class Draw, class Wanted>
  constexpr index random(Draw&& draw, Wanted&& wanted) const noexcept {
    const auto is = [&](index i) { return cells_[i].live && wanted(i); };
    if (used_ == 0) return npos;
    index i = 0;
    for (int tries = 0; tries < 64; ++tries) {
      i = static_cast<index>((std::uint64_t{draw()} * used_) >> 32);
      if (is(i)) return i;
    }
    for (index n = 0; n < used_; ++n) {
      i = i + 1 == used_ ? 0 : i + 1;
      if (is(i)) return i;
    }
    return npos;
  }

  /// The newest of a bucket and the next older one; `npos` at the end.
  constexpr index bucket_front(std::uint32_t bucket) const noexcept { return cells_[bucket].head; }
  constexpr index bucket_next(index i) const noexcept { return cells_[i].next; }

  /// Any stored one, then the others, in no particular order; `npos` at the end. O(capacity) over all.
  constexpr index next_stored(index i = npos) const noexcept {
    for (index k = i == npos ? 0 : i + 1; k < used_; ++k) {
      if (cells_[k].live) return k;
    }
    return npos;
  }

  constexpr void clear() noexcept {
    for (index i = 0; i < capacity_; ++i) cells_[i].head = npos;
    used_ = 0;
    free_ = npos;
    order_.clear();
  }

  /// What `timer_lists` walk over.
  constexpr auto& cells() noexcept { return cells_; }
  constexpr const auto& cells() const noexcept { return cells_; }

 private:
  constexpr std::uint32_t bucket_of(std::uint32_t hash) const noexcept { return hash & (buckets_ - 1); }
  constexpr void push_front(index i, std::uint32_t bucket) noexcept {
    cells_[i].next = cells_[bucket].head;
    cells_[bucket].head = i;
  }

  typename Storage::template array<Cell, stored::requests> cells_{};
  std::uint32_t capacity_ = 0;
  std::uint32_t buckets_ = 0;
  std::uint32_t used_ = 0;  ///< cells from here on have never been used
  index free_ = npos;
  [[no_unique_address]] Order order_{};
};

}  // namespace listenq::detail
