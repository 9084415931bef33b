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

/// How requests lie in their cells: as they are. What a layout says: `cell`; what a caller gets of a stored request, to
/// change (`lend`) or to look at; where a newcomer is filled in (`blank`), how that gets into its cell (`put_blank`),
/// and one from elsewhere (`put`); its deadline.
template <addressing A>
struct whole_layout {
  using cell = request_cell<request<A>, false>;

  /// The deadline that is kept for one at this moment.
  static constexpr instant rounded(instant at) noexcept { return at; }

  static constexpr request<A>& lend(cell& c) noexcept { return c; }
  static constexpr const request<A>& look(const cell& c) noexcept { return c; }
  static constexpr request<A>& blank(cell& c) noexcept { return c; }
  static constexpr void put_blank(cell&, const request<A>&) noexcept {}  // it has been there all the time
  static constexpr void put(cell& c, const request<A>& r) noexcept { static_cast<request<A>&>(c) = r; }
  static constexpr void set_deadline(cell& c, instant at) noexcept { c.deadline = at; }
  template <class Cells>
  static constexpr const Cells& deadlines(const Cells& cells) noexcept {
    return cells;
  }
};

}  // namespace listenq::detail
