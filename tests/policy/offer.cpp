// SPDX-License-Identifier: BSL-1.0
// policy/offer.hpp: the numbers of golden/responses.json (6.18) and of the articles' traces (2.6.32, 3.12 on `lo`).
#include <doctest/doctest.h>

#include <listenq/policy/offer.hpp>

using namespace listenq;

// 64240 and 65160 swapped; a scale that the recordings do not show.
TEST_CASE("Linux 6.18 offers what was recorded") {
  using o = linux_6_18_offer;
  CHECK(o::mss == 1460);
  CHECK(o::window == 64240);
  CHECK(o::window_with_timestamps == 65160);
  CHECK(o::window_scale == 10);
  CHECK(o::sack);
  CHECK(o::ecn);
  CHECK(o::keyed_clock);
}

TEST_CASE("old Linux on the loopback offers what the articles' traces show") {
  using o = linux_loopback_offer;
  CHECK(o::mss == 16396);
  CHECK(o::window == 32768);
  CHECK(o::window_with_timestamps == 32768);
  CHECK(o::window_scale == 6);
  CHECK(o::sack);
  CHECK_FALSE(o::keyed_clock);
}
