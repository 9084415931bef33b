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

// Zero passed through where it means something else, a bound off by one, a negative number as a large one.
TEST_CASE("stacks with a fixed range, and NetBSD's zero") {
  struct fixed_row {
    int requested;
    std::uint32_t netbsd, lwip, gvisor, nt_workstation, nt_server, windows_10;
  };
  constexpr fixed_row fixed_rows[] = {
      {0, 0, 1, 8, 1, 1, 1},
      {1, 1, 1, 1, 1, 1, 1},
      {5, 5, 5, 5, 5, 5, 5},
      {6, 6, 6, 6, 5, 6, 6},
      {200, 128, 200, 200, 5, 200, 200},
      {201, 128, 201, 201, 5, 200, 200},
      {256, 128, 255, 256, 5, 200, 200},
      {1025, 128, 255, 1024, 5, 200, 200},
      {highest, 128, 255, 1024, 5, 200, 65535},
      {-1, 0, 1, 8, 1, 1, 200},        // SOMAXCONN_HINT(1)
      {-500, 0, 1, 8, 1, 1, 500},      // SOMAXCONN_HINT(500)
      {-70000, 0, 1, 8, 1, 1, 65535},  // SOMAXCONN_HINT(70000)
      {lowest, 0, 1, 8, 1, 1, 65535},
  };
  const auto t = tuning({{tunable::somaxconn, 128}});
  for (const fixed_row& r : fixed_rows) {
    CAPTURE(r.requested);
    CHECK(negative_to_zero::clamp(r.requested, t) == r.netbsd);
    CHECK(up_to<255, 1>::clamp(r.requested, t) == r.lwip);
    CHECK(up_to<1024, 8>::clamp(r.requested, t) == r.gvisor);
    CHECK(up_to<5, 1>::clamp(r.requested, t) == r.nt_workstation);
    CHECK(up_to<200, 1>::clamp(r.requested, t) == r.nt_server);
    CHECK(windows_hint::clamp(r.requested, t) == r.windows_10);
  }
}

// EF_ACCEPTQ_MIN_BACKLOG applied before the maximum, or to one Base only.
TEST_CASE("never_below lifts what its base reads") {
  const auto t = tuning({{tunable::somaxconn, 128}});
  using onload = never_below<16, to_somaxconn>;
  CHECK(onload::clamp(5, t) == 16);
  CHECK(onload::clamp(16, t) == 16);
  CHECK(onload::clamp(17, t) == 17);
  CHECK(onload::clamp(-1, t) == 128);
  CHECK(onload::clamp(500, t) == 128);
  CHECK(never_below<1, as_is>::clamp(0, t) == 1);
  CHECK(never_below<1, as_is>::clamp(2, t) == 2);
  CHECK(tunables_of<never_below<1, as_is>> == tunable_set{});
}

// A policy that reads a tunable it does not name: the listener would not let anybody set it.
TEST_CASE("clamps name somaxconn exactly when they read it") {
  CHECK(tunables_of<to_somaxconn> == tunable_set{tunable::somaxconn});
  CHECK(tunables_of<negative_to_somaxconn> == tunable_set{tunable::somaxconn});
  CHECK(tunables_of<zero_to_somaxconn> == tunable_set{tunable::somaxconn});
  CHECK(tunables_of<at_least_80> == tunable_set{tunable::somaxconn});
  CHECK(tunables_of<negative_to_zero> == tunable_set{tunable::somaxconn});
  CHECK(tunables_of<as_is> == tunable_set{});
  CHECK(tunables_of<up_to<255, 1>> == tunable_set{});
  CHECK(tunables_of<windows_hint> == tunable_set{});
}
