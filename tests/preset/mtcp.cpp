// SPDX-License-Identifier: BSL-1.0
// preset/mtcp.hpp: the backlog bounds the accept queue alone.
#include <doctest/doctest.h>

#include <listenq/preset/mtcp.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::mtcp;

TEST_CASE("N wait, then RST; 10,000 are half-open, then RST") {
  CHECK(waiting_for_accept<mtcp>(5) == 5);
  CHECK(late_syn<mtcp>(5) == "admitted");
  CHECK(late_ack<mtcp>(5) == "overflow_reset");
  CHECK(half_open<mtcp>(5, 20000) == room{10000, "reset_request_full"});
}

TEST_CASE("16 times from 0.5 s, doubling seven times") {
  CHECK(life<mtcp>(11) ==
        std::vector<std::int64_t>{0, 500, 1500, 3500, 7500, 15500, 31500, 63500, 127500, 191500, 255500});
  CHECK(life<mtcp>(30).size() == 18);
}
