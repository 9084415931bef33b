// SPDX-License-Identifier: BSL-1.0
// The timers of the requests: one list for each length of timeout. Time does not go back, so each list is sorted as it
// is filled, and the next deadline is the smallest of a handful of heads.
//
//      1 s   head -> 3.0 -> 3.2 -> 3.9 <- tail        next deadline: the smaller of 3.0 and 3.1
//      2 s   head -> 3.1 <- tail
//
// It is not a general timer queue: a length that shrinks with time still works, but costs a walk from the tail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/policy/clockwork.hpp>
#include <listenq/static_array.hpp>
#include <listenq/time.hpp>

namespace listenq::detail {

inline constexpr std::uint32_t npos = 0xffffffffU;

/// `Lists` lists of cells, which have a `deadline`, through links, which have `timer_prev` and `timer_next`.
template <std::size_t Lists, tie_order Ties>
class timer_lists {
 public:
  template <class Cells, class Links>
  [[gnu::always_inline]] constexpr void insert(const Cells& cells, Links& links, std::uint32_t i,
                                               std::size_t list) noexcept {
    line& l = lists_[list];
    const std::uint32_t tail = l.tail;
    const instant at = cells[i].deadline;
    const bool ties_go_last = Ties == tie_order::oldest_first;
    if (tail == npos || cells[tail].deadline < at || (ties_go_last && cells[tail].deadline == at)) [[likely]] {
      if (!ties_go_last) l.run = i;
      links[i].timer_prev = tail;
      links[i].timer_next = npos;
      (tail == npos ? l.head : links[tail].timer_next) = i;
      l.tail = i;
    } else if (!ties_go_last && l.run != npos && cells[tail].deadline == at) {
      link(links, l, i, links[l.run].timer_prev);
      l.run = i;
    } else {
      insert_before_tail(cells, links, l, i);
    }
  }

  template <class Links>
  [[gnu::always_inline]] constexpr void remove(Links& links, std::uint32_t i, std::size_t list) noexcept {
    line& l = lists_[list];
    const auto& c = links[i];
    if (l.run == i) [[unlikely]]
      l.run = c.timer_next;
    (c.timer_prev == npos ? l.head : links[c.timer_prev].timer_next) = c.timer_next;
    (c.timer_next == npos ? l.tail : links[c.timer_next].timer_prev) = c.timer_prev;
  }

  /// The request whose deadline comes first; `npos` if there is none. Of equal deadlines, the longer timeout, which was
  /// armed earlier, comes first.
  template <class Cells>
  constexpr std::uint32_t first(const Cells& cells) const noexcept {
    std::uint32_t best = npos;
    for (std::size_t k = Lists; k-- > 0;) {
      const std::uint32_t i = lists_[k].head;
      if (i != npos && (best == npos || cells[i].deadline < cells[best].deadline)) best = i;
    }
    return best;
  }

  /// The first in the list of the longest timeout that is not empty; `npos` if all are.
  constexpr std::uint32_t first_of_longest() const noexcept {
    for (std::size_t k = Lists; k-- > 0;) {
      if (lists_[k].head != npos) return lists_[k].head;
    }
    return npos;
  }

  constexpr void clear() noexcept { lists_ = {}; }

 private:
  struct line {
    std::uint32_t head = npos;
    std::uint32_t tail = npos;
    std::uint32_t run = npos;  ///< newest_first: the first of those that share the tail's deadline; npos: look for it
  };

  /// The first of those that share the tail's deadline, where `run` does not say.
  template <class Cells, class Links>
  static constexpr std::uint32_t first_of_run(const Cells& cells, const Links& links, const line& l) noexcept {
    std::uint32_t i = l.tail;
    while (links[i].timer_prev != npos && cells[links[i].timer_prev].deadline == cells[i].deadline) {
      i = links[i].timer_prev;
    }
    return i;
  }

  /// Where the last one is not simply the earlier.
  template <class Cells, class Links>
  static constexpr void insert_before_tail(const Cells& cells, Links& links, line& l, std::uint32_t i) noexcept {
    const instant at = cells[i].deadline;
    std::uint32_t behind = l.tail;
    if constexpr (Ties == tie_order::newest_first) {
      const bool ties = at == cells[behind].deadline;
      if (ties) behind = links[first_of_run(cells, links, l)].timer_prev;
      while (behind != npos && cells[behind].deadline >= at) behind = links[behind].timer_prev;
      if (ties) l.run = i;
    } else {
      while (behind != npos && cells[behind].deadline > at) behind = links[behind].timer_prev;
    }
    link(links, l, i, behind);
  }

  /// `i` goes behind `behind`, or first; the tail stays the last.
  template <class Links>
  [[gnu::always_inline]] static constexpr void link(Links& links, line& l, std::uint32_t i,
                                                    std::uint32_t behind) noexcept {
    auto& c = links[i];
    c.timer_prev = behind;
    c.timer_next = behind == npos ? l.head : links[behind].timer_next;
    (behind == npos ? l.head : links[behind].timer_next) = i;
    links[c.timer_next].timer_prev = i;
  }

  static_array<line, Lists> lists_{};
};

}  // namespace listenq::detail
