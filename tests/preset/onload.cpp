// SPDX-License-Identifier: BSL-1.0
// preset/onload.hpp: the young quarter.
#include <doctest/doctest.h>

#include <listenq/preset/onload.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::onload;

TEST_CASE("N wait, 256 are half-open") {
  CHECK(waiting_for_accept<onload>(5) == 5);
  CHECK(half_open<onload>(5) == room{256, "dropped_request_full"});
  CHECK(half_open<onload>(100) == room{256, "dropped_request_full"});
}

// A quarter of the half-open bound would be 64.
TEST_CASE("at a full accept queue, SYNs pass until a quarter of the smaller queue is young") {
  script<onload> s{8};
  s.connect(0, 7);
  CHECK(s.syn(8) == verdict::admitted);
  CHECK(s.syn(9) == verdict::admitted);
  CHECK(s.syn(10) == verdict::admitted);
  CHECK(s.syn(11) == verdict::dropped_accept_full);
  CHECK(explain<onload>(8).young_when_full == 3);
  CHECK(s.ack(8) == verdict::overflow_kept);
}

TEST_CASE("when both are full, the one asked most often in vain goes, and the SYN is dropped all the same") {
  script<onload> s{100};
  s.connect(0, 98);
  for (int i = 0; i < 256; ++i) s.syn(100 + i);
  s.run_until(at(1.5));
  s.ack(100);
  CHECK(s.listener.accept_full());
  s.syn(1000);
  CHECK(s.syn(1001) == verdict::dropped_request_full);
  CHECK(s.last.stages.has(stage::evicted));
}

TEST_CASE("SYN-ACKs five times from 1 s") {
  CHECK(life<onload>() == std::vector<std::int64_t>{0, 1000, 3000, 7000, 15000, 31000, 63000});
}
