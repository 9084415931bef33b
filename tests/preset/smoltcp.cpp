// SPDX-License-Identifier: BSL-1.0
// preset/smoltcp.hpp: no backlog.
#include <doctest/doctest.h>

#include <listenq/preset/smoltcp.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::smoltcp;

TEST_CASE("one socket, one connection, whatever listen says; the rest get a RST") {
  for (const int n : {0, 1, 100}) {
    CAPTURE(n);
    CHECK(half_open<smoltcp>(n) == room{1, "reset_accept_full"});
    CHECK(waiting_for_accept<smoltcp>(n) == 1);
  }
}

TEST_CASE("an exact RST returns the socket to LISTEN, any other gets a challenge ACK") {
  script<smoltcp> s{1};
  s.syn(0);
  CHECK(s.send(0, {.flags = flag::rst, .seq = 100}) == verdict::challenged);
  CHECK(s.rst(0) == verdict::request_reset);
  CHECK(s.syn(1) == verdict::admitted);
}

TEST_CASE("a SYN-ACK is sent again and again") { CHECK(life<smoltcp>(20).size() == 20); }
