// SPDX-License-Identifier: BSL-1.0
// policy/clockwork.hpp: the sweep's budget (kernels.md 3.2).
#include <doctest/doctest.h>

#include <listenq/policy/clockwork.hpp>

using namespace listenq;

// 2 * nr / runs instead of 2 * (nr / runs): 16 buckets would give 1 more, and requests die a tick early.
TEST_CASE("a sweep visits 2 * (buckets / (timeout / period)) buckets, in integers") {
  struct row {
    std::uint32_t buckets, from_3s, from_1s;
  };
  constexpr row rows[] = {{16, 2, 6}, {32, 4, 12}, {128, 16, 50}, {512, 68, 204}, {1024, 136, 408}, {2048, 272, 818}};
  for (const row& r : rows) {
    CAPTURE(r.buckets);
    CHECK(sweep<>::budget(r.buckets, 3 * second) == r.from_3s);
    CHECK(sweep<>::budget(r.buckets, 1 * second) == r.from_1s);
  }
}

// The kernel's do .. while: a budget of 0 would never visit anything.
TEST_CASE("a sweep visits at least one bucket, and all of them where a timeout is shorter than a period") {
  CHECK(sweep<>::budget(1, 3 * second) == 1);
  CHECK(sweep<>::budget(4, 3 * second) == 1);
  CHECK(sweep<>::budget(4, 1 * second) == 1);
  CHECK(sweep<>::budget(16, 100 * millisecond) == 16);
  CHECK(sweep<>::budget(16, 200 * millisecond) == 32);  // as the formula says, twice round in one period
}

TEST_CASE("the period is 200 ms unless it is said") {
  CHECK(sweep<>::period == 200 * millisecond);
  CHECK(sweep<50 * millisecond>::period == 50 * millisecond);
  CHECK(sweep<50 * millisecond>::budget(16, 1 * second) == 1);
  CHECK(sweep<>::sweeps);
  CHECK_FALSE(exact<>::sweeps);
  CHECK(exact<>::ties == tie_order::oldest_first);
  CHECK(exact<tie_order::newest_first>::ties == tie_order::newest_first);
}

// As the kernel's own divisions: one visit to a timeout takes every bucket twice.
TEST_CASE("a hand that moves as rarely as requests time out") {
  CHECK(sweep<200 * millisecond>::budget(16, 200 * millisecond) == 32);
  CHECK(sweep<200 * millisecond>::budget(16, 399 * millisecond) == 32);
  CHECK(sweep<200 * millisecond>::budget(16, 199 * millisecond) == 16);
  CHECK(sweep<200 * millisecond>::budget(16, 400 * millisecond) == 16);
}
