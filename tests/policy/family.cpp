// SPDX-License-Identifier: BSL-1.0
// policy/family.hpp: the default.
#include <doctest/doctest.h>

#include <concepts>
#include <listenq/policy/family.hpp>

using namespace listenq;

TEST_CASE("the default family is ipv4, and every family of address.hpp can be one") {
  CHECK(std::same_as<family<>::policy, ipv4>);
  CHECK(std::same_as<family<tagged<dual>>::policy, tagged<dual>>);
}
