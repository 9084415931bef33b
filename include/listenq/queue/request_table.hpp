// SPDX-License-Identifier: BSL-1.0
// The request table: cells found by hash, with a free list and, where it is asked for, the order in which they came
// (request_order.hpp). It knows neither timers nor whose request is whose; `request_queue` and `shared_requests` do.
//
//   heads:  [ word ][ word ][ word ] ...           of each bucket
//   links:  [ next word | timers | age ] ...       of each cell; a chain is newest first
//   cells:  [ request ] ...
//   word:   | tag: the hash's upper bits | index |
//
// Three arrays, so that what many events touch is close together: of another one's request the tag tells, and its cell
// need not come from memory.
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

template <class Request, bool Owners>
struct request_cell : Request, std::conditional_t<Owners, owner_mark, no_owner_mark> {};

template <bool Timers, class Order>
struct request_links : std::conditional_t<Timers, timer_links, no_timer_links>, Order::links {
  std::uint32_t next = npos;  ///< a word of its chain, or an index of the free list
};

struct chain_head {
  std::uint32_t first = npos;  ///< a word
};

/// Every operation is O(1) (a chain is O(1) with a keyed hash and at most two requests a bucket), but `reserve`,
/// `rehash`, `clear` and iteration.
template <class Cell, class Links, class Order, storage_policy Storage>
class request_table {
 public:
  using index = std::uint32_t;
  static constexpr std::size_t bytes_each = sizeof(Cell) + sizeof(Links) + sizeof(chain_head);

  /// Room for `n` in all; the stored ones stay. False, and nothing changed, if the storage is too small. Over
  /// `bit_floor(n)` buckets at once if nothing is stored, else from the next `rehash` on.
  constexpr bool reserve(std::uint32_t n, Storage& source) noexcept {
    if (n <= capacity_) return true;
    if (n > most(source)) return false;
    if (!cells_.reserve(n, source) || !links_.reserve(n, source) || !heads_.reserve(n, source)) return false;
    capacity_ = n;
    if (next_stored() == npos) spread();
    return true;
  }
  /// Spreads the stored ones over all the buckets that there are room for: `hash_of(cell)` for each. Chains stay newest
  /// first, because each new bucket takes from one old bucket only.
  template <class HashOf>
  constexpr void rehash(HashOf&& hash_of) noexcept {
    index oldest_first = npos;
    for (std::uint32_t b = 0; b < buckets(); ++b) {
      index i = index_in(heads_[b].first);
      heads_[b].first = npos;
      while (i != npos) {
        const index older = index_in(links_[i].next);
        links_[i].next = oldest_first;
        oldest_first = i;
        i = older;
      }
    }
    spread();
    while (oldest_first != npos) {
      const index i = oldest_first;
      oldest_first = links_[i].next;
      push_front(i, hash_of(cells_[i]));
    }
  }
  /// How many there could ever be.
  constexpr std::size_t most(const Storage& source) const noexcept {
    constexpr std::size_t most_indices = 0x7fffffff;  // the mask of a larger one would leave no word for the end
    std::size_t n = 0;
    if constexpr (requires { source.template most_together<Cell, Links, chain_head>(); }) {
      n = source.template most_together<Cell, Links, chain_head>();
      if (n < capacity_) n = capacity_;
    } else {
      n = cells_.most(source);
      if (const std::size_t l = links_.most(source); l < n) n = l;
      if (const std::size_t h = heads_.most(source); h < n) n = h;
    }
    return n < most_indices ? n : most_indices;
  }
  constexpr std::uint32_t capacity() const noexcept { return capacity_; }
  constexpr std::uint32_t buckets() const noexcept { return capacity_ == 0 ? 0 : last_bucket_ + 1; }
  constexpr Cell& operator[](index i) noexcept { return cells_[i]; }
  constexpr const Cell& operator[](index i) const noexcept { return cells_[i]; }
  constexpr const Links& links_of(index i) const noexcept { return links_[i]; }

  /// The first one in the hash's chain for which `is(cell)`, or `npos`. There must be a bucket. `is` is asked only of
  /// those whose hash has the same upper bits.
  template <class Is>
  [[gnu::always_inline]] constexpr index find(std::uint32_t hash, Is&& is) const noexcept {
    std::uint32_t word = heads_[bucket_of(hash)].first;
    while (word != npos) {
      const index i = word & mask_;
      if (tagged_as(word, hash) && is(cells_[i])) return i;
      word = links_[i].next;
    }
    return npos;
  }

  /// Three steps, each of which has brought into the cache what the next one reads: the hash's bucket; the links of the
  /// first in its chain; the request that has this hash, wherever in the chain it is, and the links beside it.
  void fetch_bucket(std::uint32_t hash) const noexcept { __builtin_prefetch(&heads_[bucket_of(hash)]); }
  void fetch_chain(std::uint32_t hash) const noexcept {
    const std::uint32_t word = heads_[bucket_of(hash)].first;
    if (word == npos) return;
    __builtin_prefetch(&links_[word & mask_]);
    if (tagged_as(word, hash)) fetch_cell(word & mask_);
  }
  void fetch_request(std::uint32_t hash) const noexcept {
    std::uint32_t word = heads_[bucket_of(hash)].first;
    if (word == npos) return;
    if (!tagged_as(word, hash)) {
      do {
        word = links_[word & mask_].next;
        if (word == npos) return;
      } while (!tagged_as(word, hash));
      fetch_cell(word & mask_);
    }
    if constexpr (std::is_base_of_v<timer_links, Links>) {
      const Links& l = links_[word & mask_];
      if (l.timer_prev != npos) __builtin_prefetch(&links_[l.timer_prev]);
      if (l.timer_next != npos) __builtin_prefetch(&links_[l.timer_next]);
    }
  }

  /// The cell that the next `store` takes, to be filled before; `npos` if there is no room.
  constexpr index vacant() const noexcept { return free_ != npos ? free_ : used_ < capacity_ ? used_ : npos; }

  /// Takes the vacant cell `i`, which is filled, to be found under `hash`.
  [[gnu::always_inline]] constexpr void store(index i, std::uint32_t hash) noexcept {
    if (free_ == i) {
      free_ = links_[i].next;
    } else {
      ++used_;
    }
    cells_[i].live = true;
    push_front(i, hash);
    order_.enter(links_, i, hash);
  }

  [[gnu::always_inline]] constexpr void remove(index i, std::uint32_t hash) noexcept {
    order_.leave(links_, i, hash);
    std::uint32_t* link = &heads_[bucket_of(hash)].first;
    while ((*link & mask_) != i) link = &links_[*link & mask_].next;
    *link = links_[i].next;
    cells_[i].live = false;
    links_[i].next = free_;
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
  constexpr index bucket_front(std::uint32_t bucket) const noexcept { return index_in(heads_[bucket].first); }
  constexpr index bucket_next(index i) const noexcept { return index_in(links_[i].next); }

  /// Any stored one, then the others, in no particular order; `npos` at the end. O(capacity) over all.
  constexpr index next_stored(index i = npos) const noexcept {
    for (index k = i == npos ? 0 : i + 1; k < used_; ++k) {
      if (cells_[k].live) return k;
    }
    return npos;
  }

  constexpr void clear() noexcept {
    for (std::uint32_t b = 0; b < buckets(); ++b) heads_[b].first = npos;
    used_ = 0;
    free_ = npos;
    order_.clear();
  }

  /// What `timer_lists` walk over.
  constexpr auto& cells() noexcept { return cells_; }
  constexpr const auto& cells() const noexcept { return cells_; }
  constexpr auto& links() noexcept { return links_; }

 private:
  constexpr std::uint32_t bucket_of(std::uint32_t hash) const noexcept { return hash & last_bucket_; }
  constexpr index index_in(std::uint32_t word) const noexcept { return word == npos ? npos : word & mask_; }
  constexpr bool tagged_as(std::uint32_t word, std::uint32_t hash) const noexcept { return (word ^ hash) <= mask_; }
  [[gnu::always_inline]] constexpr void push_front(index i, std::uint32_t hash) noexcept {
    std::uint32_t& first = heads_[bucket_of(hash)].first;
    links_[i].next = first;
    first = (hash & ~mask_) | i;
  }
  /// It may lie across two lines.
  void fetch_cell(index i) const noexcept {
    const auto* const bytes = reinterpret_cast<const char*>(&cells_[i]);
    __builtin_prefetch(bytes);
    __builtin_prefetch(bytes + sizeof(Cell) - 1);
  }
  constexpr void spread() noexcept {
    last_bucket_ = std::bit_floor(capacity_) - 1;
    mask_ = std::bit_ceil(capacity_ + 1) - 1;
  }

  typename Storage::template array<Cell, stored::requests> cells_{};
  typename Storage::template array<Links, stored::requests> links_{};
  typename Storage::template array<chain_head, stored::requests> heads_{};
  std::uint32_t capacity_ = 0;
  std::uint32_t last_bucket_ = 0;  ///< all ones
  std::uint32_t mask_ = 0;         ///< of the index in a word, larger than any
  std::uint32_t used_ = 0;         ///< cells from here on have never been used
  index free_ = npos;
  [[no_unique_address]] Order order_{};
};

}  // namespace listenq::detail
