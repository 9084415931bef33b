// SPDX-License-Identifier: BSL-1.0
// preset/shadow.hpp: N + 1 in each queue, tested before anybody is looked up.
#include <doctest/doctest.h>

#include <listenq/preset/shadow.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::shadow;

TEST_CASE("N + 1 requests, N + 1 connections") {
  CHECK(waiting_for_accept<shadow>(5) == 6);
  CHECK(half_open<shadow>(5) == room{6, "dropped_request_full"});
  CHECK(late_ack<shadow>(5) == "overflow_kept");
}

// peers.md, suspected defects; on purpose, because Shadow does it.
TEST_CASE("a full queue drops even the SYN of a known peer") {
  script<shadow> s{0};
  s.syn(0);
  CHECK(s.syn(0) == verdict::dropped_request_full);
  CHECK(s.waits(0));
}

TEST_CASE("one SYN-ACK, 60 s") { CHECK(life<shadow>() == std::vector<std::int64_t>{0, 60000}); }
