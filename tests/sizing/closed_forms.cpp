// SPDX-License-Identifier: BSL-1.0
// The closed forms against published numbers, and against the slow, obvious way to compute the same.
#include "closed_forms.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace calculator;
using doctest::Approx;

namespace {

/// Probabilities of 0..places in an M/M/1/K, state by state.
std::vector<double> states(double rho, std::uint64_t places) {
  std::vector<double> p{1};
  double sum = 1;
  for (std::uint64_t n = 1; n <= places; ++n) {
    p.push_back(p.back() * rho);
    sum += p.back();
  }
  for (double& x : p) x /= sum;
  return p;
}

}  // namespace

// Catches a loss of K - 1 or K + 1 places. (Vastola: a buffer for 19 packets; P18 and P19 at rho 0.5.)
TEST_CASE("M/M/1/K: half load and one loss in a million need 19 places") {
  CHECK(mm1k_loss(0.5, 18) == Approx(1.91e-6).epsilon(0.002));
  CHECK(mm1k_loss(0.5, 19) == Approx(9.54e-7).epsilon(0.002));
  CHECK(mm1k_places(0.5, 1e-6) == 19);
}

TEST_CASE("M/M/1/K: the table of places for one loss in a million") {
  CHECK(mm1k_places(0.7, 1e-6) == 36);
  CHECK(mm1k_places(0.8, 1e-6) == 55);
  CHECK(mm1k_places(0.9, 1e-6) == 110);
  CHECK(mm1k_places(0.95, 1e-6) == 211);
  CHECK(mm1k_places(0.99, 1e-6) == 917);
}

// Catches a formula that overflows above 1: inf / inf.
TEST_CASE("M/M/1/K: in overload a larger queue loses as much") {
  for (const std::uint64_t k : {129U, 511U, 4096U, 1'000'000U})
    CHECK(mm1k_loss(1.1, k) == Approx(0.091).epsilon(0.005));
  CHECK(mm1k_loss(1.1, 128) > mm1k_loss(1.1, 129));
  CHECK(mm1k_loss(1.1, 1'000'000) == Approx(1 - 1 / 1.1));
  CHECK(mm1k_places(1.1, 0.05) == 1'000'000);
}

// Catches 0 / 0 at a load of 1, and digits lost beside it.
TEST_CASE("M/M/1/K: a load of exactly 1, and beside it") {
  CHECK(mm1k_loss(1, 999'999) == Approx(1e-6));
  CHECK(mm1k_before(1, 999'999) == Approx(499'999));
  CHECK(mm1k_loss(1 + 1e-12, 999) == Approx(1e-3));
  CHECK(mm1k_loss(1 - 1e-12, 999) == Approx(1e-3));
  CHECK(mm1k_before(1 - 1e-12, 1001) == Approx(500));
  CHECK(mm1k_wait_beyond(1, 11, 10, 0) == Approx(10.0 / 11));
  CHECK(mm1k_loss(0, 5) == 0);
  CHECK(mm1k_loss(0, 0) == 1);
}

// Catches a wrong closed form of any of the sums.
TEST_CASE("M/M/1/K: loss, mean and tail of the wait are those of its states") {
  for (const double rho : {0.3, 0.9, 0.999, 1.0, 1.001, 1.1, 3.0}) {
    for (const std::uint64_t k : {1U, 2U, 7U, 40U, 300U}) {
      CAPTURE(rho);
      CAPTURE(k);
      const std::vector<double> p = states(rho, k);
      CHECK(mm1k_loss(rho, k) == Approx(p[k]));
      double before = 0;
      double beyond = 0;
      const double service = 100;
      const double seconds = 0.37;
      for (std::uint64_t n = 1; n < k; ++n) {
        const double q = p[n] / (1 - p[k]);
        before += static_cast<double>(n) * q;
        double term = std::exp(-service * seconds);  // fewer than n served in that time
        for (std::uint64_t j = 0; j < n; ++j) {
          beyond += q * term;
          term *= service * seconds / static_cast<double>(j + 1);
        }
      }
      CHECK(mm1k_wait(rho, k, service) == Approx(before / service));
      CHECK(mm1k_wait_beyond(rho, k, service, seconds) == Approx(beyond).epsilon(1e-9));
      const double quantile = mm1k_wait_quantile(rho, k, service, 0.01);
      if (quantile > 0) CHECK(mm1k_wait_beyond(rho, k, service, quantile) == Approx(0.01).epsilon(1e-4));
    }
  }
}

TEST_CASE("M/M/1: an M/M/1/K with places enough") {
  CHECK(mm1k_wait_beyond(0.8, 100'000, 2500, 0.01) == Approx(mm1_wait_beyond(0.8, 2500, 0.01)));
  CHECK(mm1k_wait(0.8, 100'000, 2500) == Approx(mm1_wait(0.8, 2500)));
}

TEST_CASE("Erlang-B: the table of request slots") {
  struct row {
    double load;
    std::uint64_t thousandth, millionth;
  };
  for (const row& r : {row{1, 6, 10},
                       {10, 21, 29},
                       {20, 35, 45},
                       {50, 71, 87},
                       {100, 128, 149},
                       {200, 238, 267},
                       {500, 555, 602},
                       {1000, 1072, 1141}}) {
    CAPTURE(r.load);
    CHECK(erlang_b_slots(r.load, 1e-3) == r.thousandth);
    CHECK(erlang_b_slots(r.load, 1e-6) == r.millionth);
    CHECK(erlang_b(r.load, r.millionth) <= 1e-6);
    CHECK(erlang_b(r.load, r.millionth - 1) > 1e-6);
  }
  CHECK(erlang_b(2, 2) == Approx(0.4));  // 2 / (1 + 2 + 2)
  CHECK(erlang_b(1e6, 1'000'000) < 0.001);
}

// The kernel's remark in request_sock.c: 128 are not enough for 100 connections a second.
TEST_CASE("Little: one client in a hundred that never ACKs explains the kernel's remark") {
  CHECK(std::lround(half_open(100, 0.2, 0.01, 189)) == 209);
  CHECK(std::lround(half_open(100, 0.2, 0.01, 63)) == 83);
}

// A mail service's outage: 54.5 accepts a second; its clients reported 9.26 s.
TEST_CASE("Little: the wait behind a full accept queue") {
  CHECK(wait_behind(382, 54.5) == Approx(7.0).epsilon(0.005));
  CHECK(wait_behind(512, 54.5) == Approx(9.4).epsilon(0.005));
}

TEST_CASE("the window between a stall and a deadline") {
  constexpr window w = window_of(2000, 0.3, 2500, 3);
  static_assert(w.least == 600 && w.most == 7500 && !w.empty());
  static_assert(window_of(2000, 3, 1000, 3).empty());
  static_assert(!window_of(1000, 3, 1000, 3).empty());
}

// Stevens, UNP figure 4.9: the incomplete queue of a busy server, mean 5.62 and variance 20.1. Observed: 0.143, 0.0534
// and 0.0165.
TEST_CASE("a published occupancy table is 3.6 times over-dispersed, and only a bursty law has its tail") {
  constexpr double spread = dispersion(5.62, 20.1);
  CHECK(spread == Approx(3.6).epsilon(0.01));
  CHECK(count_at_least(10, 5.62) == Approx(0.060).epsilon(0.01));
  CHECK(count_at_least(15, 5.62) == Approx(0.00074).epsilon(0.01));
  CHECK(count_at_least(20, 5.62) == Approx(0.000002).epsilon(0.3));
  CHECK(count_at_least(10, 5.62, spread) == Approx(0.169).epsilon(0.01));
  CHECK(count_at_least(15, 5.62, spread) == Approx(0.0473).epsilon(0.01));
  CHECK(count_at_least(20, 5.62, spread) == Approx(0.0122).epsilon(0.01));
  CHECK(5.62 / (spread - 1) == Approx(2.18).epsilon(0.002));  // its r
}

TEST_CASE("counts: both sides of the mean, far from 0 too") {
  CHECK(count_at_least(0, 7) == 1);
  CHECK(count_at_least(1, 7) == Approx(1 - std::exp(-7.0)));
  CHECK(count_at_least(1, 7, 4) == Approx(1 - std::pow(4.0, -7.0 / 3)));
  CHECK(count_at_least(1e6, 1e6) == Approx(0.5).epsilon(0.001));
  CHECK(count_at_least(5, 0) == 0);
  for (const double spread : {1.0, 3.6, 20.0}) {
    const std::uint64_t n = count_quantile(100, spread, 1e-3);
    CHECK(count_at_least(static_cast<double>(n), 100, spread) <= 1e-3);
    CHECK(count_at_least(static_cast<double>(n) - 1, 100, spread) > 1e-3);
  }
  CHECK(count_quantile(0, 1, 1e-3) == 1);
}
