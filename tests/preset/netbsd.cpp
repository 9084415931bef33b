// SPDX-License-Identifier: BSL-1.0
// preset/netbsd.hpp: N + 1 at the SYN, 3N/2 + 1 at the final ACK.
#include <doctest/doctest.h>

#include <listenq/preset/netbsd.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::netbsd;

TEST_CASE("N + 1 clients connect one after the other") {
  CHECK(figure_4_10<netbsd>() == std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
}

TEST_CASE("whoever was admitted before finds room up to 3N/2 + 1, then a RST") {
  script<netbsd> s{4};
  for (int i = 0; i < 9; ++i) CHECK(s.syn(i) == verdict::admitted);
  for (int i = 0; i < 7; ++i) CHECK(s.ack(i) == verdict::promoted);
  CHECK(s.ack(7) == verdict::overflow_reset);
}

// Behind the lookup, as in Linux, a duplicate would be answered.
TEST_CASE("the gate stands before the lookup: a duplicate SYN meets it, too") {
  script<netbsd> s{1};
  s.syn(9);
  s.connect(0, 1);
  CHECK(s.syn(9) == verdict::dropped_accept_full);
}

TEST_CASE("listen's number: negative is 0, at most 128; the syncache holds 10,255") {
  CHECK(explain<netbsd>(-1).backlog == 0);
  CHECK(explain<netbsd>(5000).backlog == 128);
  CHECK(explain<netbsd>(7).request_slots == 10255);
}

TEST_CASE("SYN-ACKs at 3, 9, 21, 45 s, dead at 93 s") {
  CHECK(life<netbsd>() == std::vector<std::int64_t>{0, 3000, 9000, 21000, 45000, 93000});
}

TEST_CASE("close forgets the requests without a word") {
  script<netbsd> s{4};
  s.syn(0);
  s.listener.close(s.out);
  CHECK(s.listener.request_count() == 0);
  CHECK(s.out.count == 1);
}
