// SPDX-License-Identifier: BSL-1.0
// policy/deferral.hpp: TCP_DEFER_ACCEPT (kernels.md 3.5).
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/policy/deferral.hpp>

#include "support/tuning.hpp"

using namespace listenq;
using test::tuning;

namespace {

// The recorded run "defer5": 5 s are three periods of 1, 2 and 4 s.
constexpr auto five = tuning({{tunable::defer_accept, 5}});

}  // namespace

// secs_to_retrans: a period too few, or seconds compared with `<=`.
TEST_CASE("seconds become whole timeouts, from 1 s and from 3 s") {
  struct row {
    std::uint32_t first, last, from_1s, from_3s;
  };
  constexpr row rows[] = {{0, 0, 0, 0},   {1, 1, 1, 1},   {2, 3, 2, 1},   {4, 7, 3, 2},   {8, 9, 4, 2},
                          {10, 15, 4, 3}, {16, 21, 5, 3}, {22, 31, 5, 4}, {32, 45, 6, 4}, {46, 63, 6, 5}};
  for (const row& r : rows) {
    for (std::uint32_t s = r.first; s <= r.last; ++s) {
      CAPTURE(s);
      CHECK(defer_accept<1 * second>::periods(s) == r.from_1s);
      CHECK(defer_accept<3 * second>::periods(s) == r.from_3s);
    }
  }
}

// Doubling past the cap: 32767 s would be 15 periods instead of 279, which is cut to 255.
TEST_CASE("periods stop doubling at the cap and stay at 255") {
  CHECK(defer_accept<>::periods(127) == 7);
  CHECK(defer_accept<>::periods(128) == 8);  // 127 + 120
  CHECK(defer_accept<>::periods(247) == 8);
  CHECK(defer_accept<>::periods(248) == 9);
  CHECK(defer_accept<>::periods(32767) == 255);
}

// kernels.md 6, invariant 29: no child out of a bare ACK while timeouts < d.
TEST_CASE("a bare ACK waits for the tuned number of timeouts") {
  for (std::uint32_t n = 0; n <= 5; ++n) {
    CAPTURE(n);
    CHECK(defer_accept<>::waits(n, five) == (n < 3));
    CHECK_FALSE(defer_accept<>::waits(n, tuning({{tunable::defer_accept, 0}})));
    CHECK(defer_accept<>::waits(n, tuning({{tunable::defer_accept, 1}})) == (n < 1));
    CHECK_FALSE(no_deferral::waits(n, five));
  }
}

// syn_ack_recalc. `&&` for `||`, `d` for `d - 1`: no SYN-ACK at the end of the wait, or one at every timeout.
TEST_CASE("a deferred request: what each timeout does, before and after its ACK") {
  struct row {
    std::uint32_t timeouts, threshold;
    bool acked, expire, resend;
  };
  constexpr row rows[] = {
      // no ACK yet: as without deferral
      {0, 5, false, false, true},
      {4, 5, false, false, true},
      {5, 5, false, true, true},
      // acked: silent until the last period, then it provokes an ACK
      {0, 5, true, false, false},
      {1, 5, true, false, false},
      {2, 5, true, false, true},
      {3, 5, true, false, true},
      {5, 5, true, true, true},
      // acked, under pressure: lives on until the wait is over (kernels.md 6, invariant 30)
      {2, 2, true, false, true},
      {3, 2, true, true, true},
      {2, 2, false, true, true},
  };
  for (const row& r : rows) {
    CAPTURE(r.timeouts);
    CAPTURE(r.threshold);
    CAPTURE(r.acked);
    const timeout_answer a =
        defer_accept<>::at_timeout({.timeouts = r.timeouts, .threshold = r.threshold, .acked = r.acked}, five);
    CHECK(a.expire == r.expire);
    if (!r.expire) CHECK(a.resend == r.resend);
  }
}

// `acked` prolonging a life or stopping SYN-ACKs without deferral (kernels.md 3.5: it does neither).
TEST_CASE("without deferral, an ACK that found no room changes nothing at a timeout") {
  const auto off = tuning({{tunable::defer_accept, 0}});
  for (const bool acked : {false, true}) {
    for (std::uint32_t n = 0; n <= 6; ++n) {
      CAPTURE(n);
      const timeout_facts f{.timeouts = n, .threshold = 5, .acked = acked};
      CHECK(no_deferral::at_timeout(f, off).expire == (n >= 5));
      CHECK(no_deferral::at_timeout(f, off).resend);
      CHECK(defer_accept<>::at_timeout(f, off).expire == (n >= 5));
      CHECK(defer_accept<>::at_timeout(f, off).resend);
    }
  }
}

TEST_CASE("defer_accept names its tunable") {
  CHECK(tunables_of<defer_accept<>> == tunable_set{tunable::defer_accept});
  CHECK(tunables_of<no_deferral> == tunable_set{});
}

// FreeBSD, accf_data: no timer runs for a connection that waits for data. Before its ACK it is a request like any
// other.
TEST_CASE("await_data: after its ACK a request neither expires nor is it resent; before, it does") {
  for (const std::uint32_t n : {0U, 1U, 5U, 255U}) {
    CAPTURE(n);
    CHECK(await_data::waits(n, five));
    const timeout_answer acked = await_data::at_timeout({.timeouts = n, .threshold = 5, .acked = true}, five);
    CHECK_FALSE(acked.expire);
    CHECK_FALSE(acked.resend);
    const timeout_answer silent = await_data::at_timeout({.timeouts = n, .threshold = 5, .acked = false}, five);
    CHECK(silent.expire == (n >= 5));
    CHECK(silent.resend);
  }
}

TEST_CASE("switched off, an ACK that came before delays nothing") {
  const auto off = tuning({{tunable::defer_accept, 0}});
  for (const std::uint32_t n : {0U, 4U, 5U, 6U}) {
    const timeout_answer a = defer_accept<>::at_timeout({.timeouts = n, .threshold = 5, .acked = true}, off);
    CHECK(a.expire == (n >= 5));
    CHECK(a.resend);
  }
}

TEST_CASE("the steps double up to the cap, and no further") {
  using d = defer_accept<1 * second, 4 * second>;  // 1, 3, 7, 11, 15 s
  CHECK(d::periods(1) == 1);
  CHECK(d::periods(2) == 2);
  CHECK(d::periods(3) == 2);
  CHECK(d::periods(7) == 3);
  CHECK(d::periods(8) == 4);
  CHECK(d::periods(11) == 4);
  CHECK(d::periods(12) == 5);
  using odd = defer_accept<1 * second, 3 * second>;  // 1, 3, 6, 9 s
  CHECK(odd::periods(6) == 3);
  CHECK(odd::periods(7) == 4);
}
