// SPDX-License-Identifier: BSL-1.0
// preset/bsd_classic.hpp: 3N/2 and one more, half-open ones included.
#include <doctest/doctest.h>

#include <listenq/preset/bsd_classic.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::bsd_classic;

// 3N/2 rounded up, or compared by ">=".
TEST_CASE("figure 4.10, column Mac OS 10.2.6 and AIX 5.1") {
  CHECK(figure_4_10<bsd_classic>() == std::vector<int>{1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20, 22});
}

// TCP/IP Illustrated vol. 1, figure 18.23.
TEST_CASE("half-open ones take the same places") {
  const int slots[] = {1, 2, 4, 5, 7, 8};
  for (int n = 0; n <= 5; ++n) {
    CAPTURE(n);
    CHECK(half_open<bsd_classic>(n) == room{slots[n], "dropped_accept_full"});
  }
  script<bsd_classic> s{5};
  s.connect(0, 3);
  for (int i = 4; i < 8; ++i) CHECK(s.syn(i) == verdict::admitted);
  CHECK(s.syn(8) == verdict::dropped_accept_full);
  for (int i = 4; i < 8; ++i) CHECK(s.ack(i) == verdict::promoted);
}

TEST_CASE("SYN-ACKs at 6 and 30 s, dead at 75 s") {
  CHECK(life<bsd_classic>() == std::vector<std::int64_t>{0, 6000, 30000, 75000});
}

TEST_CASE("a negative backlog is 0") { CHECK(explain<bsd_classic>(-1).accept_slots == 1); }
