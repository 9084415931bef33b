// SPDX-License-Identifier: BSL-1.0
// policy/syncache.hpp: the numbers of kernels.md 1.6. What is done with them, tests/queue/request_order.cpp says.
#include <doctest/doctest.h>

#include <listenq/policy/syncache.hpp>

#include "support/tuning.hpp"

using namespace listenq;
using test::tuning;

namespace {

using freebsd = syncache<512, 30, 15360>;
using netbsd = syncache<293, 3 * 35, 293 * 35>;
using openbsd = syncache<293, 105, 10255, reseeded<100000>>;

}  // namespace

// A limit that follows the backlog, or a bucket limit taken for the global one.
TEST_CASE("a syncache has room for its limit, whatever listen() says") {
  for (const std::uint32_t n : {0U, 1U, 128U, 0xffffffffU}) {
    CHECK(freebsd::limit(n, tuning({})) == 15360);
    CHECK(netbsd::limit(n, tuning({})) == 10255);
    CHECK(openbsd::limit(n, tuning({})) == 2 * 10255);  // each of the two sets has that much
  }
  CHECK(syncache<512, 30>::limit(5, tuning({})) == 512 * 30);
  CHECK_FALSE(freebsd::once);
  CHECK(tunables_of<freebsd> == tunable_set{});
}

TEST_CASE("only a syncache has buckets") {
  CHECK(bucketed<freebsd>);
  CHECK(bucketed<openbsd>);
  CHECK_FALSE(bucketed<pipeline<>>);
  CHECK_FALSE(bucketed<sized_once<pipeline<>>>);
}
