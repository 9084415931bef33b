// SPDX-License-Identifier: BSL-1.0
// policy/child.hpp: what waits in the accept queue.
#include <doctest/doctest.h>

#include <concepts>
#include <listenq/policy/child.hpp>

using namespace listenq;

// A default handle that is the whole record: 48 bytes a waiting connection instead of 12.
TEST_CASE("a handle is the stack's own, the four-tuple by default; deferred_child keeps the record") {
  CHECK(std::same_as<default_child::entry<ipv4>, four_tuple>);
  CHECK(std::same_as<handles<>::entry<ipv6>, basic_four_tuple<ipv6>>);
  CHECK(std::same_as<handles<int>::entry<ipv4>, int>);
  CHECK(std::same_as<handles<void*>::entry<ipv6>, void*>);
  CHECK(std::same_as<deferred_child::entry<ipv6>, basic_handshake<ipv6>>);
}

// A cap that is not the policy that it caps: the accept queue would hold something else.
TEST_CASE("a capped policy has the handle of the one inside, and says how many bytes") {
  CHECK(std::same_as<capped<1460>::entry<ipv4>, four_tuple>);
  CHECK(std::same_as<capped<1460, handles<int>>::entry<ipv4>, int>);
  CHECK(capped<1460>::most_bytes == 1460);
}
