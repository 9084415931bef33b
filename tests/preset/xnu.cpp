// SPDX-License-Identifier: BSL-1.0
// preset/xnu.hpp: N for both queues together, and listen(0) is 128.
#include <doctest/doctest.h>

#include <listenq/preset/xnu.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::xnu;

TEST_CASE("N places, half-open ones included; 0 and negative are 128") {
  CHECK(waiting_for_accept<xnu>(5) == 5);
  CHECK(half_open<xnu>(5) == room{5, "admitted evicted"});
  CHECK(waiting_for_accept<xnu>(0) == 128);
  CHECK(waiting_for_accept<xnu>(-1) == 128);
  CHECK(waiting_for_accept<xnu>(5000) == 128);
}

// The victim's ACK meets nothing.
TEST_CASE("the oldest half-open one makes room; a queue of finished ones does not") {
  script<xnu> s{3};
  s.connect(0, 0);
  s.syn(1);
  s.syn(2);
  CHECK(s.syn(3) == verdict::admitted);
  CHECK_FALSE(s.waits(1));
  CHECK(s.ack(1) == verdict::stray);
  CHECK(s.ack(2) == verdict::promoted);
  CHECK(s.ack(3) == verdict::promoted);
  CHECK(s.syn(4) == verdict::dropped_accept_full);
}

TEST_CASE("close aborts the half-open ones, too") {
  script<xnu> s{3};
  s.syn(0);
  s.listener.close(s.out);
  CHECK(s.out.last().flags.has(flag::rst));
}
