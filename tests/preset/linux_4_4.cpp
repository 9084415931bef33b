// SPDX-License-Identifier: BSL-1.0
// preset/linux_4_4.hpp: Q >= N, and the young rule.
#include <doctest/doctest.h>

#include <listenq/preset/linux_4_4.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::linux_4_4;

// Q > N, as before and after.
TEST_CASE("N requests, N + 1 connections") {
  for (const int n : {1, 5, 16, 100}) {
    CAPTURE(n);
    CHECK(half_open<linux_4_4>(n) == room{n, "cookie_sent"});
    CHECK(waiting_for_accept<linux_4_4>(n) == static_cast<std::uint32_t>(n) + 1);
  }
  CHECK(explain<linux_4_4>(511).backlog == 128);
}

// Commit 3479c7549fb1 says so; getlogbook/logbook#636 met it.
TEST_CASE("listen(0) without cookies admits nobody") {
  linux_4_4 l;
  l.set(tunable::syncookies, 0);
  script<linux_4_4> s{0, l};
  CHECK(s.syn(0) == verdict::dropped_request_full);
  CHECK(half_open<linux_4_4>(0) == room{0, "cookie_sent"});
}

// The rule that 4.10 took away.
TEST_CASE("two young ones pass a full accept queue, the third does not") {
  script<linux_4_4> s{4};
  s.connect(0, 4);
  CHECK(s.syn(5) == verdict::admitted);
  CHECK(s.syn(6) == verdict::admitted);
  CHECK(s.syn(7) == verdict::dropped_accept_full);
  CHECK(explain<linux_4_4>(4).young_when_full == 2);
}

// 6.18's exact RST would leave it.
TEST_CASE("any RST in the window ends a request") {
  script<linux_4_4> s{4};
  s.syn(0);
  CHECK(s.send(0, {.flags = flag::rst, .seq = 100}) == verdict::request_reset);
}

TEST_CASE("SYN-ACKs at 1, 3, 7, 15, 31 s, dead at 63 s") {
  CHECK(life<linux_4_4>() == std::vector<std::int64_t>{0, 1000, 3000, 7000, 15000, 31000, 63000});
}
