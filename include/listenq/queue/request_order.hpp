// SPDX-License-Identifier: BSL-1.0
// The order of requests: who came before whom, as far as an eviction needs to know. Three kinds: nobody asks; one line
// of all requests; a line for each bucket of a syncache. Lines run through links beside the cells, so coming and going
// are O(1) and take no memory of their own beyond the ends of the lines.
//
//   one line:        oldest <-> ... <-> newest
//   a syncache:      bucket 0: oldest <-> newest     bucket 1: (empty)     bucket 2: ...
//
// It chooses nobody: it can only be asked who is the oldest where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/policy/syncache.hpp>
#include <listenq/queue/timer_lists.hpp>
#include <listenq/static_array.hpp>
#include <listenq/time.hpp>
#include <type_traits>

namespace listenq::detail {

struct age_links {
  std::uint32_t age_prev = npos;
  std::uint32_t age_next = npos;
};
/// For a syncache that is reseeded: the bucket of which set it is in, since the hash alone no longer tells.
struct placed_age_links : age_links {
  std::uint32_t place = 0;
};
struct no_age_links {};

/// The ends of a line of cells, oldest first.
struct age_line {
  std::uint32_t head = npos;
  std::uint32_t tail = npos;

  template <class Links>
  constexpr void append(Links& all, std::uint32_t i) noexcept {
    all[i].age_prev = tail;
    all[i].age_next = npos;
    (tail == npos ? head : all[tail].age_next) = i;
    tail = i;
  }
  template <class Links>
  constexpr void remove(Links& all, std::uint32_t i) noexcept {
    const auto& c = all[i];
    (c.age_prev == npos ? head : all[c.age_prev].age_next) = c.age_next;
    (c.age_next == npos ? tail : all[c.age_next].age_prev) = c.age_prev;
  }
};

/// Nobody asks.
struct no_order {
  using links = no_age_links;
  template <class Links>
  static constexpr void enter(Links&, std::uint32_t, std::uint32_t) noexcept {}
  template <class Links>
  static constexpr void leave(Links&, std::uint32_t, std::uint32_t) noexcept {}
  static constexpr void clear() noexcept {}
};

/// One line of all of them.
class one_line {
 public:
  using links = age_links;
  template <class Links>
  constexpr void enter(Links& all, std::uint32_t i, std::uint32_t) noexcept {
    line_.append(all, i);
  }
  template <class Links>
  constexpr void leave(Links& all, std::uint32_t i, std::uint32_t) noexcept {
    line_.remove(all, i);
  }
  constexpr void clear() noexcept { line_ = {}; }
  /// The one that was stored first, or `npos`.
  constexpr std::uint32_t oldest() const noexcept { return line_.head; }

 private:
  age_line line_{};
};

/// The lines of `Syncache`. A bucket is a hash modulo their number, or, reseeded, a keyed mix of the hash.
/// Invariants: the lengths of the buckets add up to the requests there are; a secret changes only over an empty set.
template <bucketed Syncache>
class bucket_lines {
  using seeds = typename Syncache::seeds;
  static constexpr bool reseeds = seeds::sets > 1;

 public:
  using links = std::conditional_t<reseeds, placed_age_links, age_links>;
  static constexpr std::uint32_t buckets = Syncache::buckets;
  static constexpr std::uint32_t places = buckets * seeds::sets;

  /// A newcomer's bucket.
  constexpr std::uint32_t place(std::uint32_t hash) const noexcept {
    if constexpr (reseeds) {
      // Multiply-shift under a secret multiplier and a secret mask.
      const std::uint64_t seed = sets_[active_].seed;
      const std::uint64_t mixed = (hash ^ (seed >> 32)) * (seed << 1 | 1U);
      return active_ * buckets + static_cast<std::uint32_t>((mixed >> 32) % buckets);
    } else {
      return hash % buckets;
    }
  }
  /// A stored one's, of which these are the links.
  template <class Links>
  static constexpr std::uint32_t place_of(const Links& l, std::uint32_t hash) noexcept {
    if constexpr (reseeds) {
      return l.place;
    } else {
      return hash % buckets;
    }
  }
  constexpr std::uint32_t length(std::uint32_t at) const noexcept { return lines_[at].length; }
  /// Is a newcomer's bucket full?
  constexpr bool crowded(std::uint32_t hash) const noexcept { return lines_[place(hash)].length >= Syncache::depth; }
  /// Is its bucket or the whole set full?
  constexpr bool full(std::uint32_t hash) const noexcept {
    return crowded(hash) || sets_[active_].size >= Syncache::most;
  }
  /// A newcomer has found its bucket full.
  constexpr void overflow(std::uint32_t hash, instant now) noexcept {
    lines_[place(hash)].overflowed = now;
    sets_[active_].uses = 0;
  }
  /// The oldest of its bucket had to go, be it for this bucket or for all of them.
  constexpr void evicted(std::uint32_t hash, instant now) noexcept { lines_[place(hash)].overflowed = now; }
  /// When a bucket was last found full or lost one for want of room; long ago if never.
  constexpr instant overflowed(std::uint32_t hash) const noexcept { return lines_[place(hash)].overflowed; }

  /// Does the next `enter` want a new secret first?
  constexpr bool wants_seed() const noexcept { return reseeds && sets_[active_].size == 0 && sets_[active_].uses == 0; }
  constexpr void seed(std::uint64_t secret) noexcept {
    sets_[active_].seed = secret;
    sets_[active_].uses = seeds::uses;
  }

  template <class Links>
  constexpr void enter(Links& all, std::uint32_t i, std::uint32_t hash) noexcept {
    const std::uint32_t at = place(hash);
    if constexpr (reseeds) all[i].place = at;
    lines_[at].append(all, i);
    ++lines_[at].length;
    set& s = sets_[active_];
    ++s.size;
    if constexpr (reseeds) {
      if (s.uses > 0) --s.uses;
      if (s.uses == 0 && sets_[1 - active_].size == 0) active_ = 1 - active_;
    }
  }
  template <class Links>
  constexpr void leave(Links& all, std::uint32_t i, std::uint32_t hash) noexcept {
    const std::uint32_t at = place_of(all[i], hash);
    lines_[at].remove(all, i);
    --lines_[at].length;
    --sets_[at / buckets].size;
  }
  /// Empties every line; the secrets stay.
  constexpr void clear() noexcept {
    for (line& l : lines_) l = {};
    for (set& s : sets_) s.size = 0;
  }

  /// The oldest in a newcomer's bucket, or `npos`.
  constexpr std::uint32_t oldest_in(std::uint32_t hash) const noexcept { return lines_[place(hash)].head; }
  /// The same or, if there is none, that of the first bucket after it that has one. O(buckets) at worst.
  constexpr std::uint32_t oldest_from(std::uint32_t hash) const noexcept {
    const std::uint32_t here = place(hash);
    const std::uint32_t first = here / buckets * buckets;
    std::uint32_t at = here;
    do {
      if (lines_[at].head != npos) return lines_[at].head;
      at = at + 1 == first + buckets ? first : at + 1;
    } while (at != here);
    return npos;
  }

 private:
  struct line : age_line {
    std::uint32_t length = 0;
    instant overflowed = -never;
  };
  struct set {
    std::uint64_t seed = 0;
    std::uint32_t size = 0;
    std::uint32_t uses = 0;  ///< newcomers that it takes before it is reseeded
  };
  static_array<line, places> lines_{};
  static_array<set, seeds::sets> sets_{};
  std::uint32_t active_ = 0;
};

}  // namespace listenq::detail
