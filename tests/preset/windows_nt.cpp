// SPDX-License-Identifier: BSL-1.0
// preset/windows_nt.hpp: RST on a full backlog.
#include <doctest/doctest.h>

#include <listenq/preset/windows_nt.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::windows_nt;

TEST_CASE("N places, half-open ones included; the next SYN gets a RST") {
  CHECK(waiting_for_accept<windows_nt>(5) == 5);
  CHECK(half_open<windows_nt>(5) == room{5, "reset_accept_full"});
  CHECK(late_syn<windows_nt>(5) == "reset_accept_full");
}

// KB127144.
TEST_CASE("at most 200") {
  CHECK(explain<windows_nt>(200).backlog == 200);
  CHECK(explain<windows_nt>(5000).backlog == 200);
}
