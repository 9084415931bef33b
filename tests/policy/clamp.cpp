// SPDX-License-Identifier: BSL-1.0
// policy/clamp.hpp: kernels.md 1.1 as a table.
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <listenq/policy/clamp.hpp>

#include "support/tuning.hpp"

using namespace listenq;
using test::tuning;

namespace {

constexpr int lowest = std::numeric_limits<int>::min();
constexpr int highest = std::numeric_limits<int>::max();

struct row {
  int requested;
  std::uint32_t somaxconn, linux_n, freebsd, openbsd, xnu, as_is_n;
};
constexpr row rows[] = {
    // requested, somaxconn -> Linux, FreeBSD, OpenBSD, XNU, as is
    {0, 128, 0, 0, 80, 128, 0},
    {1, 128, 1, 1, 80, 1, 1},
    {5, 128, 5, 5, 80, 5, 5},
    {79, 128, 79, 79, 80, 79, 79},
    {80, 128, 80, 80, 80, 80, 80},
    {81, 128, 81, 81, 81, 81, 81},
    {127, 128, 127, 127, 127, 127, 127},
    {128, 128, 128, 128, 128, 128, 128},
    {129, 128, 128, 128, 128, 128, 129},
    {511, 4096, 511, 511, 511, 511, 511},
    {highest, 4096, 4096, 4096, 4096, 4096, 0x7fffffff},
    {-1, 128, 128, 128, 128, 128, 0},
    {-5, 4096, 4096, 4096, 4096, 4096, 0},
    {lowest, 128, 128, 128, 128, 128, 0},
    {100, 50, 50, 50, 80, 50, 100},  // OpenBSD's floor is stronger than its ceiling
    {7, 0, 0, 0, 80, 0, 7},
};

}  // namespace

// A signed comparison (listen(-1) as 0), an off-by-one at somaxconn, XNU's zero, OpenBSD's floor applied before the
// ceiling.
TEST_CASE("each clamp reads listen()'s number as its kernel does") {
  for (const row& r : rows) {
    CAPTURE(r.requested);
    CAPTURE(r.somaxconn);
    const auto t = tuning({{tunable::somaxconn, r.somaxconn}});
    CHECK(to_somaxconn::clamp(r.requested, t) == r.linux_n);
    CHECK(negative_to_somaxconn::clamp(r.requested, t) == r.freebsd);
    CHECK(at_least_80::clamp(r.requested, t) == r.openbsd);
    CHECK(zero_to_somaxconn::clamp(r.requested, t) == r.xnu);
    CHECK(as_is::clamp(r.requested, t) == r.as_is_n);
  }
}

// A policy that reads a tunable it does not name: the listener would not let anybody set it.
TEST_CASE("clamps name somaxconn exactly when they read it") {
  CHECK(tunables_of<to_somaxconn> == tunable_set{tunable::somaxconn});
  CHECK(tunables_of<negative_to_somaxconn> == tunable_set{tunable::somaxconn});
  CHECK(tunables_of<zero_to_somaxconn> == tunable_set{tunable::somaxconn});
  CHECK(tunables_of<at_least_80> == tunable_set{tunable::somaxconn});
  CHECK(tunables_of<as_is> == tunable_set{});
}
