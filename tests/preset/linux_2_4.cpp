// SPDX-License-Identifier: BSL-1.0
// preset/linux_2_4.hpp: N + 3 clients connect (UNP, figure 4.10).
#include <doctest/doctest.h>

#include <listenq/preset/linux_2_4.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::linux_2_4;

// The young rule counted by requests instead of young ones, or off by one: another column of the figure.
TEST_CASE("figure 4.10, column Linux 2.4.7: N + 3") {
  CHECK(figure_4_10<linux_2_4>() == std::vector<int>{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17});
}

// Sized by N, as 2.6.32 does it.
TEST_CASE("max_syn_backlog alone sizes the table; without cookies its last quarter is closed") {
  CHECK(explain<linux_2_4>(1).request_slots == 1024);
  CHECK(explain<linux_2_4>(1, {{tunable::max_syn_backlog, 1}}).request_slots == 64);
  CHECK(explain<linux_2_4>(1, {{tunable::max_syn_backlog, 128}}).request_slots == 128);
  CHECK(half_open<linux_2_4>(1) == room{769, "dropped_last_quarter"});
}

TEST_CASE("N + 1 wait; a late ACK is kept") {
  CHECK(waiting_for_accept<linux_2_4>(5) == 6);
  CHECK(late_ack<linux_2_4>(5) == "overflow_kept");
  CHECK(late_syn<linux_2_4>(5) == "admitted");
}
