// SPDX-License-Identifier: BSL-1.0
// The request table: cells found by hash, with a free list and, where it is asked for, the order in which they came
// (request_order.hpp). It knows neither timers nor whose request is whose; `request_queue` and `shared_requests` do.
//
//   heads:  [ word ][ word ][ word ] ...           of each bucket
//   links:  [ next word | timers | age ] ...       of each cell; a chain is newest first
//   cells:  [ request ] ...
//   word:   | tag: the hash's upper bits | no chain? | last of its chain? | index |
//
// Three arrays, so that what many events touch is close together. Of another one's request the word tells enough: its
// cell and, mostly, its links need not come from memory, and a look-up that finds nothing is one foreseeable branch,
// whether the bucket is empty or not.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <listenq/policy/storage.hpp>
#include <listenq/queue/request_cell.hpp>
#include <type_traits>

namespace listenq::detail {

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
    constexpr std::size_t most_indices = 0x3fffffff;  // for more there would be no bits to tell the end of a chain
    const auto least = [](std::size_t a, std::size_t b) { return a < b ? a : b; };
    if constexpr (requires { source.template most_together<Cell, Links, chain_head>(); }) {
      const std::size_t n = source.template most_together<Cell, Links, chain_head>();
      return least(n > capacity_ ? n : capacity_, most_indices);
    } else {
      return least(least(cells_.most(source), links_.most(source)), least(heads_.most(source), most_indices));
    }
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
    for (;;) {
      if (tagged_as(word, hash)) {
        const index i = word & indices_;
        if (i != indices_ && is(cells_[i])) [[likely]] {
          if (i == npos) __builtin_unreachable();  // which whoever asks whether there is one need not ask again
          return i;
        }
      }
      if ((word & last_) != 0) [[likely]]
        return npos;
      word = links_[word & indices_].next;
    }
  }

  /// Has the hash's bucket brought into the cache, and then the first of its chain. Inlined, because g++ 12 takes a
  /// function that only fetches for one that does nothing.
  [[gnu::always_inline]] void fetch_bucket(std::uint32_t hash) const noexcept {
    __builtin_prefetch(&heads_[bucket_of(hash)]);
  }
  [[gnu::always_inline]] void fetch_first(std::uint32_t hash) const noexcept {
    const index i = index_in(heads_[bucket_of(hash)].first);
    if (i == npos) return;
    const auto* const cell = reinterpret_cast<const char*>(&cells_[i]);
    __builtin_prefetch(cell);
    __builtin_prefetch(cell + sizeof(Cell) - 1);  // it may lie across two lines
    __builtin_prefetch(&links_[i]);
  }

  /// And of `n` hashes, at most `Most`, whose buckets are on their way, all that `find` and `remove` will touch: the
  /// first two of a chain, what is found and its neighbours among the timers. All take a step before one takes the
  /// next, so that nobody waits for memory alone. Without branches, of which many could not be foreseen: who has
  /// nothing to fetch fetches what is there.
  template <std::size_t Most, class HashOf>
  [[gnu::always_inline]] void fetch_chains(std::size_t n, HashOf&& hash_of) const noexcept {
    index found[Most], passed[Most];
    std::uint32_t sought[Most];
    std::size_t founds = 0, passes = 0;
    const Cell* const cells = &cells_[0];
    const Links* const links = &links_[0];
    const auto step = [&](const std::uint32_t* at, std::uint32_t hash) {
      const std::uint32_t word = *at;
      const index i = word & indices_;
      const bool is_it = tagged_as(word, hash) & (word != npos);
      const bool goes_on = !is_it & ((word & last_) == 0);
      const auto* const there = reinterpret_cast<const char*>(at);
      const auto* const cell = reinterpret_cast<const char*>(cells + i);
      __builtin_prefetch((is_it | goes_on) ? reinterpret_cast<const char*>(links + i) : there);
      __builtin_prefetch(is_it ? cell : there);
      __builtin_prefetch(is_it ? cell + sizeof(Cell) - 1 : there);  // it may lie across two lines
      found[founds] = passed[passes] = i;
      sought[passes] = hash;
      founds += is_it;
      passes += goes_on;
    };
    for (std::size_t k = 0; k < n; ++k) step(&heads_[bucket_of(hash_of(k))].first, hash_of(k));
    const std::size_t again = passes;
    passes = 0;
    for (std::size_t k = 0; k < again; ++k) step(&links_[passed[k]].next, sought[k]);
    if constexpr (requires(const Links& l) { l.timer_prev; }) {
      for (std::size_t k = 0; k < founds; ++k) {
        const Links& l = links[found[k]];
        __builtin_prefetch(l.timer_prev == npos ? &l : links + l.timer_prev);
        __builtin_prefetch(l.timer_next == npos ? &l : links + l.timer_next);
      }
    }
  }

  /// Takes a cell that is free, to be filled and then stored; `npos` if there is no room.
  [[gnu::always_inline]] constexpr index take() noexcept {
    const index i = free_;
    if (i != npos) [[likely]] {
      free_ = links_[i].next;
      return i;
    }
    return used_ < capacity_ ? used_++ : npos;
  }

  /// The cell `i`, which has been taken and filled, is found under `hash` from now on.
  [[gnu::always_inline]] constexpr void store(index i, std::uint32_t hash) noexcept {
    cells_[i].set_live(true);
    push_front(i, hash);
    order_.enter(links_, i, hash);
  }

  [[gnu::always_inline]] constexpr void remove(index i, std::uint32_t hash) noexcept {
    order_.leave(links_, i, hash);
    std::uint32_t* link = &heads_[bucket_of(hash)].first;
    Links& own = links_[i];
    if ((*link & indices_) != i) [[unlikely]] {
      std::uint32_t* before = link;
      for (link = next_of(link); (*link & indices_) != i; link = next_of(link)) before = link;
      if (own.next == npos) *before |= last_;
    }
    *link = own.next;
    own.next = free_;
    cells_[i].set_live(false);
    free_ = i;
  }

  /// Who came before whom.
  constexpr Order& order() noexcept { return order_; }
  constexpr const Order& order() const noexcept { return order_; }

  /// One for which `wanted(index)`, each as likely as the others; `npos` if there is none. `draw()` yields random
  /// numbers. Expected O(capacity / number of them); after 64 draws in vain, the first from a random place on.
  template <class Draw, class Wanted>
  constexpr index random(Draw&& draw, Wanted&& wanted) const noexcept {
    const auto is = [&](index i) { return cells_[i].is_live() && wanted(i); };
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
      if (cells_[k].is_live()) return k;
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
  constexpr index index_in(std::uint32_t word) const noexcept { return word == npos ? npos : word & indices_; }
  constexpr bool tagged_as(std::uint32_t word, std::uint32_t hash) const noexcept {
    return ((word ^ hash) & tag_) == 0;
  }
  constexpr std::uint32_t* next_of(const std::uint32_t* word) noexcept { return &links_[*word & indices_].next; }
  [[gnu::always_inline]] constexpr void push_front(index i, std::uint32_t hash) noexcept {
    std::uint32_t& first = heads_[bucket_of(hash)].first;
    links_[i].next = first;
    first = (hash & tag_) | ((first >> 1) & last_) | i;  // the last, if there was no chain
  }
  constexpr void spread() noexcept {
    last_bucket_ = std::bit_floor(capacity_) - 1;
    last_ = std::bit_ceil(capacity_ + 1);
    indices_ = last_ - 1;
    tag_ = ~(4 * last_ - 1);
  }

  typename Storage::template array<Cell, stored::requests> cells_{};
  typename Storage::template array<Links, stored::requests> links_{};
  typename Storage::template array<chain_head, stored::requests> heads_{};
  std::uint32_t capacity_ = 0;
  std::uint32_t last_bucket_ = 0;  ///< all ones
  std::uint32_t last_ = 0;         ///< the bit in a word that says so
  std::uint32_t indices_ = 0;      ///< the bits of the index in a word, all ones in none
  std::uint32_t tag_ = 0;
  std::uint32_t used_ = 0;  ///< cells from here on have never been used
  index free_ = npos;
  [[no_unique_address]] Order order_{};
};

}  // namespace listenq::detail
