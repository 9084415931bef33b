// SPDX-License-Identifier: BSL-1.0
// policy/requests.hpp: the models. What a shared queue does, tests/queue/shared_requests.cpp says; compact_requests.cpp
// beside it, what compact ones keep.
#include <doctest/doctest.h>

#include <listenq/policy/requests.hpp>
#include <string>
#include <type_traits>

using namespace listenq;

// A default that borrows: no listener could listen without a pool.
TEST_CASE("a listener has a queue of its own unless it is given a pool to borrow from") {
  CHECK_FALSE(default_requests::borrows);
  CHECK(std::is_empty_v<default_requests>);
  CHECK(borrowed<int>::borrows);
  CHECK(borrowed<int>{}.pool == nullptr);
}

namespace {

struct says_no : own_requests {
  static constexpr bool compact = false;
};

}  // namespace

// A composition that asked for compact requests and got the others, or others that lose what they are asked about.
TEST_CASE("compact requests are a listener's own, and nobody's unless they are asked for") {
  CHECK_FALSE(compact_requests::borrows);
  CHECK(std::is_empty_v<compact_requests>);
  CHECK(detail::is_compact<compact_requests>);
  CHECK_FALSE(detail::is_compact<default_requests>);
  CHECK_FALSE(detail::is_compact<borrowed<int>>);
  CHECK_FALSE(detail::is_compact<says_no>);
  CHECK(std::string{compact_requests::name} == "compact_requests");
}
