// SPDX-License-Identifier: BSL-1.0
// policy/budget.hpp: the null model. What a real budget is told, tests/listener.cpp says.
#include <doctest/doctest.h>

#include <listenq/policy/budget.hpp>
#include <type_traits>

using namespace listenq;

// A null model with a limit or with state.
TEST_CASE("no_budget allows everybody, in every family, and holds nothing") {
  CHECK(no_budget::allows(four_tuple{}));
  CHECK(no_budget::allows(basic_four_tuple<ipv6>{}));
  no_budget::entered(four_tuple{});
  no_budget::left(four_tuple{}, departure::evicted);
  CHECK(no_budget::allows(four_tuple{}));
  CHECK(std::is_empty_v<no_budget>);
}
