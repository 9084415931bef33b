// SPDX-License-Identifier: BSL-1.0
// preset/freebsd_4.hpp: the gate at the SYN: N + 1.
#include <doctest/doctest.h>

#include <listenq/preset/freebsd_4.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::freebsd_4;

// Without the gate it would be FreeBSD 13's numbers.
TEST_CASE("figure 4.10, column FreeBSD 4.8 and 5.1: N + 1") {
  CHECK(figure_4_10<freebsd_4>() == std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
}

// One bound for the gate and the final ACK: nobody could get beyond N + 1.
TEST_CASE("whoever was admitted before finds room up to 3N/2 + 1, then a RST") {
  script<freebsd_4> s{4};
  for (int i = 0; i < 9; ++i) CHECK(s.syn(i) == verdict::admitted);
  for (int i = 0; i < 7; ++i) CHECK(s.ack(i) == verdict::promoted);
  CHECK(s.ack(7) == verdict::overflow_reset);
  CHECK(s.syn(10) == verdict::dropped_accept_full);
}

TEST_CASE("a syncache of 512 buckets of 30, whatever N is") {
  CHECK(explain<freebsd_4>(1).request_slots == 15360);
  CHECK(explain<freebsd_4>(100).request_slots == 15360);
}

TEST_CASE("SYN-ACKs at 3, 9, 21 s, dead at 45 s") {
  CHECK(life<freebsd_4>() == std::vector<std::int64_t>{0, 3000, 9000, 21000, 45000});
}
