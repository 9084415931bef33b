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
struct request_cell : Request, std::conditional_t<Owners, owner_mark, no_owner_mark> {};

template <bool Timers, class Order>
struct request_links : std::conditional_t<Timers, timer_links, no_timer_links>, Order::links {
  std::uint32_t next = npos;  ///< a word of its chain, or an index of the free list
};

struct chain_head {
  std::uint32_t first = npos;  ///< a word
};

}  // namespace listenq::detail
