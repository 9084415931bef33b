// SPDX-License-Identifier: BSL-1.0
// chrono.hpp: the way from std::chrono to integer microseconds and back.
#include <doctest/doctest.h>

#include <chrono>
#include <listenq/chrono.hpp>

using namespace listenq;
using namespace std::chrono_literals;

// A ratio taken the wrong way round.
TEST_CASE("lengths of any unit become microseconds, rounded towards zero") {
  static_assert(to_duration(3s) == 3 * second && to_duration(200ms) == 200 * millisecond);
  CHECK(to_duration(1999ns) == 1);
  CHECK(to_duration(-1999ns) == -1);
  CHECK(to_chrono(5 * millisecond) == 5ms);
}

TEST_CASE("a moment counts from its clock's epoch") {
  CHECK(to_instant(std::chrono::steady_clock::time_point{2500us}) == 2500);
}
