// SPDX-License-Identifier: BSL-1.0
// queue/timer_lists.hpp: order, ties both ways, against a sorted model.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <listenq/queue/timer_lists.hpp>
#include <random>
#include <type_traits>
#include <vector>

using namespace listenq;
using detail::npos;

namespace {

struct timer {
  instant deadline = 0;
  std::uint32_t timer_prev = npos;
  std::uint32_t timer_next = npos;
};

// Lists, their cells, and the same timers in a sorted vector.
template <std::size_t Lists, tie_order Ties>
struct checked {
  struct armed {
    std::uint32_t cell;
    std::size_t list;
    instant deadline;
  };
  std::array<timer, 64> cells{};
  detail::timer_lists<Lists, Ties> lists{};
  std::vector<armed> model{};

  // Where `a` stands among those with its deadline and list: what the tie order promises.
  void arm(std::uint32_t cell, std::size_t list, instant deadline) {
    cells[cell].deadline = deadline;
    lists.insert(cells, cells, cell, list);
    auto place = model.begin();
    const auto goes_before = [&](const armed& a) {
      if (a.deadline != deadline) return a.deadline < deadline;
      if (a.list != list) return a.list > list;  // longer timeouts, armed earlier, first
      return Ties == tie_order::oldest_first;
    };
    while (place != model.end() && goes_before(*place)) ++place;
    model.insert(place, {cell, list, deadline});
  }
  void disarm(std::uint32_t cell) {
    const auto it = std::find_if(model.begin(), model.end(), [&](const armed& a) { return a.cell == cell; });
    REQUIRE(it != model.end());
    lists.remove(cells, cell, it->list);
    model.erase(it);
  }
  std::uint32_t first() const {
    const std::uint32_t f = lists.first(cells);
    CHECK(f == (model.empty() ? npos : model.front().cell));
    return f;
  }
  std::vector<std::uint32_t> drain() {
    std::vector<std::uint32_t> order;
    while (!model.empty()) {
      order.push_back(first());
      disarm(order.back());
    }
    CHECK(lists.first(cells) == npos);
    return order;
  }
};

using order = std::vector<std::uint32_t>;

template <tie_order Ties>
void random_life(std::uint32_t seed) {
  std::mt19937 engine{seed};
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(engine()) % n; };
  checked<4, Ties> c;
  instant now = 0;
  for (int step = 0; step < 3000; ++step) {
    const std::uint32_t cell = below(24);
    const bool is_armed = std::any_of(c.model.begin(), c.model.end(), [&](const auto& a) { return a.cell == cell; });
    if (is_armed) {
      c.disarm(cell);
    } else {
      if (below(3) == 0) now += below(3);
      const std::size_t list = below(4);
      // Now and then a timeout that shrank: it goes before others of its list.
      const instant length = below(10) == 0 ? below(8) : static_cast<instant>(4U << list);
      c.arm(cell, list, now + length);
    }
    c.first();
  }
  c.drain();
}

}  // namespace

TEST_CASE("the first timer is the one with the earliest deadline of all lists") {
  checked<3, tie_order::oldest_first> c;
  c.first();
  c.arm(0, 0, 30);
  c.arm(1, 1, 10);
  c.arm(2, 2, 20);
  c.arm(3, 0, 40);
  CHECK(c.drain() == order{1, 2, 0, 3});
}

// golden/connects.json: requests that share a tick fire in reverse (a wheel slot is a stack).
TEST_CASE("newest_first: of equal deadlines the one armed last comes first") {
  checked<1, tie_order::newest_first> c;
  for (std::uint32_t i = 0; i < 4; ++i) c.arm(i, 0, 10);
  c.arm(4, 0, 11);
  c.arm(5, 0, 11);
  CHECK(c.drain() == order{3, 2, 1, 0, 5, 4});
}

TEST_CASE("oldest_first: of equal deadlines the one armed first comes first") {
  checked<1, tie_order::oldest_first> c;
  for (std::uint32_t i = 0; i < 4; ++i) c.arm(i, 0, 10);
  c.arm(4, 0, 11);
  c.arm(5, 0, 11);
  CHECK(c.drain() == order{0, 1, 2, 3, 4, 5});
}

TEST_CASE("of equal deadlines in different lists the longer timeout, armed earlier, comes first") {
  checked<3, tie_order::newest_first> c;
  c.arm(0, 0, 10);
  c.arm(1, 2, 10);
  c.arm(2, 1, 10);
  CHECK(c.drain() == order{1, 2, 0});
}

// The cached start of the last run of equal deadlines, left behind when that timer goes.
TEST_CASE("newest_first: the start of a run, its end or its middle may go before the next one comes") {
  for (std::uint32_t gone = 0; gone < 3; ++gone) {
    CAPTURE(gone);
    checked<1, tie_order::newest_first> c;
    c.arm(10, 0, 5);
    for (std::uint32_t i = 0; i < 3; ++i) c.arm(i, 0, 10);
    c.disarm(gone);
    c.arm(4, 0, 10);
    c.arm(5, 0, 12);
    c.arm(6, 0, 12);
    c.drain();
  }
}

TEST_CASE("newest_first: a run that becomes the last one again is still a run") {
  checked<1, tie_order::newest_first> c;
  c.arm(0, 0, 10);
  c.arm(1, 0, 10);
  c.arm(2, 0, 20);
  c.disarm(2);
  c.arm(3, 0, 10);
  c.arm(4, 0, 20);
  CHECK(c.drain() == order{3, 1, 0, 4});
}

// The list would be unsorted, and a due timer would wait behind one that is not.
TEST_CASE("a timeout that shrank is sorted in, in both orders") {
  checked<1, tie_order::newest_first> n;
  checked<1, tie_order::oldest_first> o;
  for (const auto& [cell, at] : {std::pair{0U, 10}, {1U, 20}, {2U, 20}, {3U, 15}, {4U, 20}, {5U, 5}, {6U, 15}}) {
    n.arm(cell, 0, at);
    o.arm(cell, 0, at);
  }
  CHECK(n.drain() == order{5, 0, 6, 3, 4, 2, 1});
  CHECK(o.drain() == order{5, 0, 3, 6, 1, 2, 4});
}

TEST_CASE("clear empties every list, and the lists work afterwards") {
  checked<2, tie_order::newest_first> c;
  c.arm(0, 0, 10);
  c.arm(1, 1, 10);
  c.lists.clear();
  c.model.clear();
  c.first();
  c.arm(0, 0, 20);
  c.arm(1, 0, 20);
  CHECK(c.drain() == order{1, 0});
}

TEST_CASE("a long random life is that of a sorted vector, newest first") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) random_life<tie_order::newest_first>(seed);
}

TEST_CASE("a long random life is that of a sorted vector, oldest first") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) random_life<tie_order::oldest_first>(seed);
}

namespace {

// Timers that count how often one is looked at.
struct counted {
  std::array<timer, 1000> timers{};
  mutable std::size_t looks = 0;
  const timer& operator[](std::uint32_t i) const { return ++looks, timers[i]; }
  timer& operator[](std::uint32_t i) { return ++looks, timers[i]; }
};

}  // namespace

// A walk over all that share the deadline for each that comes: a flood within one tick would cost n^2.
TEST_CASE_TEMPLATE("a thousand timers with one deadline are armed and disarmed in a few looks each", Ties,
                   std::integral_constant<tie_order, tie_order::newest_first>,
                   std::integral_constant<tie_order, tie_order::oldest_first>) {
  counted c;
  detail::timer_lists<1, Ties::value> lists;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    c.timers[i].deadline = 10;
    lists.insert(c, c, i, 0);
  }
  for (std::uint32_t i = 0; i < 1000; ++i) lists.remove(c, i, 0);
  CHECK(lists.first(c) == npos);
  CHECK(c.looks < 20 * 1000);
}
