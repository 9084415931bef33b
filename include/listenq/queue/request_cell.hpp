// SPDX-License-Identifier: BSL-1.0
// What a request takes in its table: a cell with what is known of it, links to others, the head of a bucket. Which
// links there are the composition decides; how they are used is the affair of request_table.hpp, timer_lists.hpp and
// request_order.hpp.
#pragma once

#include <cstdint>
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
struct request_cell : Request, std::conditional_t<Owners, owner_mark, no_owner_mark> {
  constexpr bool is_live() const noexcept { return this->live; }
  constexpr void set_live(bool is) noexcept { this->live = is; }
};

template <bool Timers, class Order>
struct request_links : std::conditional_t<Timers, timer_links, no_timer_links>, Order::links {
  std::uint32_t next = npos;  ///< a word of its chain, or an index of the free list
};

struct chain_head {
  std::uint32_t first = npos;  ///< a word
};

/// How requests lie in their cells: as they are. What a layout says: `cell`; `stored_type`, what the listener reads and
/// changes of it; the deadline of one; the whole of one, for those who look at it; how one from elsewhere is `put`.
template <addressing A>
struct whole_layout {
  using cell = request_cell<request<A>, false>;
  using stored_type = request<A>;

  /// The deadline that is kept for one at this moment.
  static constexpr instant rounded(instant at) noexcept { return at; }
  static constexpr void set_deadline(cell& c, instant at) noexcept { c.deadline = at; }
  static constexpr instant deadline(const cell& c) noexcept { return c.deadline; }
  static constexpr const request<A>& whole(const cell& c) noexcept { return c; }
  static constexpr void put(cell& c, const request<A>& r) noexcept { static_cast<request<A>&>(c) = r; }
  template <class Cells>
  static constexpr const Cells& deadlines(const Cells& cells) noexcept {
    return cells;
  }
};

}  // namespace listenq::detail
