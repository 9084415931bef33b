// SPDX-License-Identifier: BSL-1.0
// preset/solaris.hpp: 14 rows of a column of figure 4.10.
#include <doctest/doctest.h>

#include <listenq/preset/solaris.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::solaris;

// The fifteenth is listen(4): the figure has 6, this has 7.
TEST_CASE("figure 4.10, column Solaris 2.9, but for listen(4)") {
  CHECK(figure_4_10<solaris>() == std::vector<int>{1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20, 22});
}

TEST_CASE("while the accept queue is full nobody is admitted, and who was is kept") {
  CHECK(late_syn<solaris>(5) == "dropped_accept_full");
  CHECK(late_ack<solaris>(5) == "overflow_kept");
}
