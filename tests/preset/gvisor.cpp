// SPDX-License-Identifier: BSL-1.0
// preset/gvisor.hpp: N + 1 wait, N are half-open, then cookies.
#include <doctest/doctest.h>

#include <listenq/preset/gvisor.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::gvisor;

TEST_CASE("N + 1 connections, N requests, then a cookie") {
  CHECK(waiting_for_accept<gvisor>(5) == 6);
  CHECK(half_open<gvisor>(5) == room{5, "cookie_sent"});
  CHECK(explain<gvisor>(5000).backlog == 1024);
}

// tcp_abort_on_overflow is named there as absent.
TEST_CASE("SYN and final ACK are dropped while the accept queue is full") {
  CHECK(late_syn<gvisor>(5) == "dropped_accept_full");
  CHECK(late_ack<gvisor>(5) == "overflow_kept");
}

TEST_CASE("SYN-ACKs double until 120 s are exceeded") {
  CHECK(life<gvisor>() == std::vector<std::int64_t>{0, 1000, 3000, 7000, 15000, 31000, 63000, 127000});
}
