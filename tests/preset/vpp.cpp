// SPDX-License-Identifier: BSL-1.0
// preset/vpp.hpp: listen's number is ignored.
#include <doctest/doctest.h>

#include <listenq/preset/vpp.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::vpp;

TEST_CASE("the same for every backlog") {
  CHECK(connects<vpp>(0) == 30);
  CHECK(connects<vpp>(14) == 30);
  CHECK(waiting_for_accept<vpp>(0) == 500);
}

TEST_CASE("an application that does not take it gets the peer a RST") {
  script<vpp> s{1};
  s.syn(0);
  s.out.takes_children = false;
  CHECK(s.ack(0) == verdict::overflow_reset);
}

TEST_CASE("any RST in the window ends a request, another SYN gets a challenge ACK, the same one the SYN-ACK again") {
  script<vpp> s{1};
  s.syn(0);
  CHECK(s.syn(0) == verdict::duplicate_syn);
  s.now = at(0.6);
  CHECK(s.send(0, {.flags = flag::syn, .seq = 100}) == verdict::challenged);
  CHECK(s.send(0, {.flags = flag::rst, .seq = 0}) == verdict::out_of_window);
  CHECK(s.send(0, {.flags = flag::rst, .seq = 100}) == verdict::request_reset);
}

TEST_CASE("SYN-ACKs three times after 0.2 s, then doubling") {
  CHECK(life<vpp>() == std::vector<std::int64_t>{0, 200, 400, 600, 1000, 1800, 3400, 6600, 13000, 25800});
}
