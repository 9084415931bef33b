// SPDX-License-Identifier: BSL-1.0
// preset/seastar.hpp: a full listener is a closed port.
#include <doctest/doctest.h>

#include <listenq/preset/seastar.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::seastar;

TEST_CASE("N places, half-open ones included; the next SYN gets a RST") {
  CHECK(waiting_for_accept<seastar>(5) == 5);
  CHECK(half_open<seastar>(5) == room{5, "reset_accept_full"});
  CHECK(half_open<seastar>(100) == room{100, "reset_accept_full"});
  CHECK(connects<seastar>(0) == 0);
}

// There, a hundred failed handshakes close the port for good.
TEST_CASE("every failed handshake gives its place back") {
  script<seastar> s{1};
  s.syn(0);
  CHECK(s.syn(1) == verdict::reset_accept_full);
  s.rst(0);
  CHECK(s.syn(2) == verdict::admitted);
  s.run_until(at(64));
  CHECK_FALSE(s.waits(2));
  CHECK(s.syn(3) == verdict::admitted);
}
