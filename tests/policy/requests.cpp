// SPDX-License-Identifier: BSL-1.0
// policy/requests.hpp: the two models. What a shared queue does, tests/queue/shared_requests.cpp says.
#include <doctest/doctest.h>

#include <listenq/policy/requests.hpp>
#include <type_traits>

using namespace listenq;

// A default that borrows: no listener could listen without a pool.
TEST_CASE("a listener has a queue of its own unless it is given a pool to borrow from") {
  CHECK_FALSE(default_requests::borrows);
  CHECK(std::is_empty_v<default_requests>);
  CHECK(borrowed<int>::borrows);
  CHECK(borrowed<int>{}.pool == nullptr);
}
