// SPDX-License-Identifier: BSL-1.0
// preset/lwip.hpp: a byte of backlog for both queues.
#include <doctest/doctest.h>

#include <listenq/preset/lwip.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::lwip;

TEST_CASE("N places, half-open ones included; the next SYN is dropped") {
  CHECK(waiting_for_accept<lwip>(5) == 5);
  CHECK(half_open<lwip>(5) == room{5, "dropped_accept_full"});
}

// OpenBK7231T_App#2191: 0 becomes 1.
TEST_CASE("0 is 1, and a byte ends at 255") {
  CHECK(explain<lwip>(0).backlog == 1);
  CHECK(explain<lwip>(255).backlog == 255);
  CHECK(explain<lwip>(5000).backlog == 255);
}

TEST_CASE("SYN-ACKs at 3 and 9 s, dead at 20 s") {
  CHECK(life<lwip>() == std::vector<std::int64_t>{0, 3000, 9000, 20000});
}
