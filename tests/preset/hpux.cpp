// SPDX-License-Identifier: BSL-1.0
// preset/hpux.hpp: fitted to a column of figure 4.10.
#include <doctest/doctest.h>

#include <listenq/preset/hpux.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::hpux;

TEST_CASE("figure 4.10, column HP-UX 11.11: max(1, 3N/2)") {
  CHECK(figure_4_10<hpux>() == std::vector<int>{1, 1, 3, 4, 6, 7, 9, 10, 12, 13, 15, 16, 18, 19, 21});
}

TEST_CASE("while the accept queue is full nobody is admitted, and who was is kept") {
  CHECK(late_syn<hpux>(5) == "dropped_accept_full");
  CHECK(late_ack<hpux>(5) == "overflow_kept");
}
