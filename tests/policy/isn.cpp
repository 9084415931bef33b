// SPDX-License-Identifier: BSL-1.0
// policy/isn.hpp: RFC 6528.
#include <doctest/doctest.h>

#include <listenq/policy/isn.hpp>

using namespace listenq;

// A clock of 1 us or of 4 ms a step: the number space would wrap within an hour, or barely move.
TEST_CASE("rfc6528 advances by one every 4 us") {
  CHECK(rfc6528::isn(1000, 0) == 1000);
  CHECK(rfc6528::isn(1000, 3) == 1000);
  CHECK(rfc6528::isn(1000, 4) == 1001);
  CHECK(rfc6528::isn(1000, 1 * second) == 1000 + 250'000);
}

// A hash that is not added, or is multiplied away: all peers would share a number space.
TEST_CASE("rfc6528 shifts every peer's number space by its hash") {
  CHECK(rfc6528::isn(7, 4000) - rfc6528::isn(5, 4000) == 2);
  CHECK(rfc6528::isn(0xffffffffU, 8) == 1);  // and wraps
}

// 4.77 hours: the clock must keep its low bits, not saturate.
TEST_CASE("the clock wraps round after 2^32 steps") {
  const instant round = instant{4} << 32;
  CHECK(rfc6528::isn(9, round + 40) == rfc6528::isn(9, 40));
  CHECK(rfc6528::isn(9, 1000 * round + 44) == 20);
}

TEST_CASE("fixed_isn is its number") {
  CHECK(fixed_isn<5>::isn(1, 2) == 5);
  CHECK(fixed_isn<0xffffffffU>::isn(99, 1 * second) == 0xffffffffU);
}
