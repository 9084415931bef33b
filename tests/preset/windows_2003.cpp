// SPDX-License-Identifier: BSL-1.0
// preset/windows_2003.hpp: the handshake first, then a RST.
#include <doctest/doctest.h>

#include <listenq/preset/windows_2003.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::windows_2003;

// windows_nt's answer to the SYN.
TEST_CASE("a SYN is answered although the backlog is full; the final ACK gets a RST") {
  CHECK(waiting_for_accept<windows_2003>(5) == 5);
  CHECK(late_syn<windows_2003>(5) == "admitted");
  CHECK(late_ack<windows_2003>(5) == "overflow_reset");
}
