// SPDX-License-Identifier: BSL-1.0
// preset/linux_5_15.hpp: Q >= N, no young rule.
#include <doctest/doctest.h>

#include <listenq/preset/linux_5_15.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::linux_5_15;

TEST_CASE("N requests, N + 1 connections, somaxconn 4096") {
  for (const int n : {1, 5, 16, 100}) {
    CAPTURE(n);
    CHECK(half_open<linux_5_15>(n) == room{n, "cookie_sent"});
    CHECK(waiting_for_accept<linux_5_15>(n) == static_cast<std::uint32_t>(n) + 1);
  }
  CHECK(explain<linux_5_15>(511).backlog == 511);
  CHECK(explain<linux_5_15>(-1).backlog == 4096);
}

TEST_CASE("listen(0) without cookies admits nobody") {
  linux_5_15 l;
  l.set(tunable::syncookies, 0);
  script<linux_5_15> s{0, l};
  CHECK(s.syn(0) == verdict::dropped_request_full);
}

// 4.4's young rule left in.
TEST_CASE("no SYN passes a full accept queue") {
  CHECK(late_syn<linux_5_15>(4) == "dropped_accept_full");
  CHECK(explain<linux_5_15>(4).young_when_full == 0);
  CHECK(late_ack<linux_5_15>(4) == "overflow_kept");
  CHECK(figure_4_10<linux_5_15>() == std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
}

TEST_CASE("SYN-ACKs at 1, 3, 7, 15, 31 s, dead at 63 s") {
  CHECK(life<linux_5_15>() == std::vector<std::int64_t>{0, 1000, 3000, 7000, 15000, 31000, 63000});
}
