// SPDX-License-Identifier: BSL-1.0
// stream/profile.hpp: the intervals as numbers.
#include <doctest/doctest.h>

#include <listenq/stream/profile.hpp>

using namespace listenq;

// Bug caught: `syn_linear` counted from the wrong SYN (one interval of 1 s too many or too few on 6.18).
TEST_CASE("the linear SYN intervals of 6.18 are five: the first one and four more") {
  constexpr auto& p = profile::linux_6_18;
  for (unsigned sent = 1; sent <= 5; ++sent) CHECK(p.syn_interval(sent) == second);
  CHECK(p.syn_interval(6) == 2 * second);
  CHECK(p.syn_interval(11) == 64 * second);
}

// Bug caught: the cap applied before doubling, or not at all.
TEST_CASE("no interval grows beyond timeout_max") {
  constexpr auto& p = profile::linux_6_18;
  CHECK(p.doubled(200 * millisecond, 9) == 102'400 * millisecond);
  CHECK(p.doubled(200 * millisecond, 10) == 120 * second);
  CHECK(p.doubled(200 * millisecond, 4'000'000'000U) == 120 * second);
  CHECK(p.doubled(500 * second, 0) == 120 * second);
}

// Bug caught: the order of the new wheel given to an old kernel (golden/overflow.json: port 43005 before 43004).
TEST_CASE("kernels before 4.8 fire equal timers oldest first, later ones newest first") {
  CHECK(profile::linux_2_6_32.order == tie_order::oldest_first);
  CHECK(profile::linux_3_12.order == tie_order::oldest_first);
  CHECK(profile::linux_6_18.order == tie_order::newest_first);
}
