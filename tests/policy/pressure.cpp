// SPDX-License-Identifier: BSL-1.0
// policy/pressure.hpp: the threshold table of kernels.md 3.2 and users.md T6.
#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>
#include <listenq/policy/pressure.hpp>

using namespace listenq;

namespace {

constexpr pressure_facts crowd(std::uint32_t q, std::uint32_t y, std::uint32_t limit, std::uint32_t backlog = 0,
                               std::uint32_t retries = 5) {
  return {.requests = q, .young = y, .limit = limit, .backlog = backlog, .retries = retries};
}

}  // namespace

// One doubling too many or too few, `<=` for `<`, a threshold below 2.
TEST_CASE("half_table: how many timeouts a request of a 16-bucket table may see") {
  struct row {
    std::uint32_t q, y, threshold;
  };
  constexpr row rows[] = {
      {16, 16, 5}, {16, 9, 5}, {16, 8, 4}, {16, 7, 4}, {16, 5, 4}, {16, 4, 3}, {16, 3, 3},
      {16, 2, 2},  {16, 1, 2}, {16, 0, 2}, {8, 8, 5},  {8, 5, 5},  {8, 4, 4},  {8, 3, 4},
      {8, 2, 3},   {8, 1, 2},  {8, 0, 2},  {7, 0, 5},  {7, 7, 5},  {0, 0, 5},  {1, 0, 5},
  };
  for (const row& r : rows) {
    CAPTURE(r.q);
    CAPTURE(r.y);
    CHECK(half_table::threshold(crowd(r.q, r.y, 16)) == r.threshold);
  }
}

// `>` for `>=`: `qlen >> (max_qlen_log - 1)` is already true at exactly half.
TEST_CASE("half_table starts at exactly half of the table") {
  CHECK_FALSE(half_table::active(crowd(7, 0, 16)));
  CHECK(half_table::active(crowd(8, 0, 16)));
  CHECK_FALSE(half_table::active(crowd(255, 0, 512)));
  CHECK(half_table::active(crowd(256, 0, 512)));
  CHECK_FALSE(half_table::active(crowd(2, 0, 5)));  // a limit that is no power of two: half, rounded up
  CHECK(half_table::active(crowd(3, 0, 5)));
}

// The floor of 8 forgotten: a listener with a small backlog would prune at once.
TEST_CASE("half_backlog starts when 2 Q > max(8, N)") {
  for (const std::uint32_t n : {0U, 1U, 4U, 8U}) {
    CHECK_FALSE(half_backlog::active(crowd(4, 0, n + 1, n)));
    CHECK(half_backlog::active(crowd(5, 0, n + 1, n)));
  }
  CHECK_FALSE(half_backlog::active(crowd(8, 0, 17, 16)));
  CHECK(half_backlog::active(crowd(9, 0, 17, 16)));
  CHECK_FALSE(half_backlog::active(crowd(5, 0, 10, 10)));
  CHECK(half_backlog::active(crowd(6, 0, 12, 11)));
}

// 2 Q in 32 bits.
TEST_CASE("half_backlog does not wrap for two billion requests") {
  CHECK(half_backlog::active(crowd(0x80000000U, 0, 0xffffffffU, 0xfffffff0U)));
  CHECK(half_backlog::threshold(crowd(0xffffffffU, 0x80000000U, 0xffffffffU, 1000)) == 5);
}

TEST_CASE("half_backlog shortens lives by the same arithmetic") {
  CHECK(half_backlog::threshold(crowd(9, 0, 17, 16)) == 2);
  CHECK(half_backlog::threshold(crowd(12, 12, 17, 16)) == 5);
  CHECK(half_backlog::threshold(crowd(12, 6, 17, 16)) == 4);
  CHECK(half_backlog::threshold(crowd(12, 3, 17, 16)) == 3);
  CHECK(half_backlog::threshold(crowd(12, 1, 17, 16)) == 2);
  CHECK(half_backlog::threshold(crowd(8, 0, 17, 16)) == 5);
}

// kernels.md 6, invariant 22: between min(2, retries) and retries; fewer young never mean a longer life.
TEST_CASE("the threshold stays within its bounds and is monotone in the young") {
  for (std::uint32_t retries = 0; retries <= 9; ++retries) {
    for (std::uint32_t q = 0; q <= 40; ++q) {
      std::uint32_t before = 0;
      for (std::uint32_t y = 0; y <= q; ++y) {
        const std::uint32_t t = half_table::threshold(crowd(q, y, 32, 16, retries));
        CHECK(t <= retries);
        CHECK(t >= (retries < 2 ? retries : 2));
        CHECK(t >= before);
        before = t;
        if (q < 16 || 2 * y > q) CHECK(t == retries);
      }
    }
  }
}

TEST_CASE("without pressure the schedule alone decides") {
  CHECK(no_pressure::threshold(crowd(1000, 0, 10)) == 5);
  CHECK(no_pressure::threshold(crowd(0, 0, 10, 0, 0)) == 0);
}

// reqsk_timer_handler: max(8, N), so that a small backlog does not press at once.
TEST_CASE("6.18: the backlog counts from 9 on; below it is 8") {
  const auto presses = [](std::uint32_t requests, std::uint32_t backlog) {
    return half_backlog::active({.requests = requests, .backlog = backlog});
  };
  for (const std::uint32_t n : {0U, 1U, 7U, 8U}) {
    CHECK_FALSE(presses(4, n));
    CHECK(presses(5, n));
  }
  CHECK_FALSE(presses(5, 10));
  CHECK(presses(6, 10));
  CHECK(presses(5, 9));
  CHECK_FALSE(presses(4, 9));
}
