// SPDX-License-Identifier: BSL-1.0
// policy/fast_open.hpp: the null model.
#include <doctest/doctest.h>

#include <listenq/policy/fast_open.hpp>
#include <type_traits>

using namespace listenq;

TEST_CASE("no_fast_open says so at compile time and holds nothing") {
  CHECK_FALSE(no_fast_open::possible);
  CHECK(std::is_empty_v<no_fast_open>);
}
