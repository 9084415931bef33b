// SPDX-License-Identifier: BSL-1.0
// policy/schedule.hpp: when SYN-ACKs go out and when a request dies (kernels.md 3.1).
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/policy/schedule.hpp>
#include <vector>

#include "support/tuning.hpp"

using namespace listenq;
using test::tuning;

namespace {

// Seconds at which the timer of a request fires: the SYN-ACKs after the first, then its death.
template <class Schedule>
std::vector<std::int64_t> timeouts(std::uint32_t retries) {
  std::vector<std::int64_t> times;
  duration sum = 0;
  for (std::uint32_t n = 0; n <= retries; ++n) times.push_back((sum += Schedule::timeout(n)) / second);
  return times;
}

}  // namespace

// An exponent off by one: 2, 6, 14 ... or dead at 31.
TEST_CASE("from 1 s: sent again at 1, 3, 7, 15, 31 s, dead at 63 s") {
  CHECK(timeouts<from_1s>(5) == std::vector<std::int64_t>{1, 3, 7, 15, 31, 63});
}

TEST_CASE("from 3 s: sent again at 3, 9, 21, 45, 93 s, dead at 189 s") {
  CHECK(timeouts<from_3s>(5) == std::vector<std::int64_t>{3, 9, 21, 45, 93, 189});
}

// FreeBSD: three retries, then stale at 15 s.
TEST_CASE("the number of retries can be fixed") {
  using freebsd = doubling<1 * second, 3, 64 * second>;
  CHECK(freebsd::retries(tuning({})) == 3);
  CHECK(tunables_of<freebsd> == tunable_set{});
  CHECK(timeouts<freebsd>(3) == std::vector<std::int64_t>{1, 3, 7, 15});
}

// The last wait counted as a retry, or the list read one place too far.
TEST_CASE("listed: one wait after the other, dead after the last") {
  using bsd_4_4 = listed<6 * second, 24 * second, 45 * second>;
  CHECK(bsd_4_4::retries(tuning({})) == 2);
  CHECK(timeouts<bsd_4_4>(2) == std::vector<std::int64_t>{6, 30, 75});
  CHECK(bsd_4_4::timeout(200) == 45 * second);
}

// The cap forgotten (an overflow after 44 doublings), or applied to the wrong side.
TEST_CASE("a timeout never exceeds the cap, however often it doubled") {
  CHECK(from_1s::timeout(6) == 64 * second);
  CHECK(from_1s::timeout(7) == 120 * second);
  CHECK(from_1s::timeout(8) == 120 * second);
  CHECK(from_1s::timeout(255) == 120 * second);
  CHECK(from_3s::timeout(5) == 96 * second);
  CHECK(from_3s::timeout(6) == 120 * second);
  CHECK(doubling<1 * second, 5, 1 * second>::timeout(9) == 1 * second);
}

// A class too few, and two lengths of timeout share a list that is not sorted any more; the concept's promise.
TEST_CASE("from `classes - 1` on all timeouts are alike, and before that they differ") {
  const auto check = []<class S>(S) {
    for (std::uint32_t n = S::classes - 1; n < S::classes + 20; ++n) {
      CHECK(S::timeout(n) == S::timeout(S::classes - 1));
    }
    for (std::uint32_t n = 1; n < S::classes; ++n) CHECK(S::timeout(n) > S::timeout(n - 1));
  };
  check(from_1s{});
  check(from_3s{});
  check(doubling<1 * second, 5, 1 * second>{});
  check(doubling<200 * millisecond, 5, 64 * second>{});
  check(doubling<1, 5, 3>{});
  check(fixed_lifetime<75 * second>{});
  CHECK(from_1s::classes == 8);
}

// synack_retries read at compile time.
TEST_CASE("retries are read from the tunable each time") {
  CHECK(from_1s::retries(tuning({})) == 5);
  CHECK(from_1s::retries(tuning({{tunable::synack_retries, 0}})) == 0);
  CHECK(from_3s::retries(tuning({{tunable::synack_retries, 255}})) == 255);
  CHECK(tunables_of<from_1s> == tunable_set{tunable::synack_retries});
}

TEST_CASE("a fixed lifetime is one timeout and no retry") {
  using s = fixed_lifetime<75 * second>;
  CHECK(s::timeout(0) == 75 * second);
  CHECK(s::retries(tuning({{tunable::synack_retries, 9}})) == 0);
  CHECK(s::classes == 1);
}
