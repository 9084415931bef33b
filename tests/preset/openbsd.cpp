// SPDX-License-Identifier: BSL-1.0
// preset/openbsd.hpp: listen(5) means 80.
#include <doctest/doctest.h>

#include <listenq/preset/openbsd.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::openbsd;

TEST_CASE("a backlog below 80 is 80: 81 clients connect one after the other") {
  for (const int n : {0, 5, 80}) {
    CAPTURE(n);
    CHECK(explain<openbsd>(n).backlog == 80);
    CHECK(connects<openbsd>(n, 100) == 81);
  }
  CHECK(explain<openbsd>(100).backlog == 100);
  CHECK(explain<openbsd>(-1).backlog == 128);
}

// 3N/2 as in NetBSD would stop at 121.
TEST_CASE("whoever was admitted before finds room up to 3N + 1, then a RST") {
  script<openbsd> s{5};
  for (int i = 0; i < 243; ++i) s.syn(i);
  for (int i = 0; i < 241; ++i) s.ack(i);
  CHECK(s.listener.accept_count() == 241);
  CHECK(s.ack(241) == verdict::overflow_reset);
}

TEST_CASE("SYN-ACKs at 3, 9, 21, 45 s, dead at 93 s") {
  CHECK(life<openbsd>() == std::vector<std::int64_t>{0, 3000, 9000, 21000, 45000, 93000});
}

// Two sets of buckets, each of 10,255.
TEST_CASE("the syncache has a second set for the change of its secret") {
  CHECK(explain<openbsd>(5).request_slots == 2 * 10255);
}
