// SPDX-License-Identifier: BSL-1.0
// transport/deadlines.hpp: against a plain table of the same deadlines.
#include <doctest/doctest.h>

#include <algorithm>
#include <listenq/transport/deadlines.hpp>
#include <listenq/transport/splitmix64.hpp>
#include <vector>

using namespace listenq;

TEST_CASE("deadlines: the earliest one, each taken once") {
  deadlines d;
  CHECK_FALSE(d.next());
  d.set(3, 30);
  d.set(1, 10);
  CHECK(d.next() == 10);
  CHECK_FALSE(d.take_due(9));
  CHECK(d.take_due(10) == 1U);
  CHECK(d.next() == 30);
  d.set(3, 40);
  CHECK(d.next() == 40);
  d.set(3, std::nullopt);
  CHECK_FALSE(d.next());
  CHECK_FALSE(d.take_due(never));
}

// Bug caught: an event that no longer counts firing all the same, or a deadline that was put off and then forgotten.
TEST_CASE("deadlines: moved at random, they agree with a table") {
  splitmix64 random{7};
  deadlines d;
  std::vector<instant> table(20, never);
  instant now = 0;
  for (int step = 0; step < 5000; ++step) {
    const auto i = static_cast<std::uint32_t>(random.next() % table.size());
    if (const auto what = random.next() % 8; what == 0) {
      now += static_cast<instant>(random.next() % 50);
    } else if (what == 1) {
      table[i] = never;
      d.set(i, std::nullopt);
    } else {
      table[i] = now + static_cast<instant>(random.next() % 200);
      d.set(i, table[i]);
    }
    const instant first = *std::min_element(table.begin(), table.end());
    REQUIRE(d.next().value_or(never) == first);
    if (const auto due = d.take_due(now)) {
      REQUIRE(table[*due] == first);
      table[*due] = never;
    } else {
      REQUIRE(first > now);
    }
  }
}
