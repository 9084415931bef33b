// SPDX-License-Identifier: BSL-1.0
// The simulation against the closed forms: where they must agree, and where they must not. Every run has a fixed seed
// and gives the same numbers on every machine.
#include "crowd.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <listenq/explain.hpp>
#include <listenq/listenq.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>

#include "closed_forms.hpp"

using namespace listenq;
using namespace calculator;

namespace {

template <class L = preset::linux_6_18>
crowd_report play(const crowd& c, int backlog, std::initializer_list<setting> settings = {}) {
  listenq::testing::listener_behind<L> server{L{}};
  for (const setting& s : settings) server.set(s.which, s.value, 0);
  server.listen(backlog, 0);
  return calculator::play(server, c);
}

/// What M/M/1/K assumes: Poisson, exponential, no way to the queue, and whoever is turned away never comes again.
crowd plain(double rho) {
  crowd c;
  c.rate = 1000 * rho;
  c.rtt = 0;
  c.deadline = 60 * second;
  c.retransmit = false;
  c.service = 1000;
  c.clients = 40'000;
  return c;
}

/// Clients that keep a request for `hold`, and an application that accepts at once.
crowd holding(double load, duration hold, law how) {
  crowd c;
  c.rate = load / (static_cast<double>(hold) / 1e6);
  c.rtt = 0;
  c.ack_after = hold;
  c.ack_law = how;
  c.deadline = 60 * second;
  c.retransmit = false;
  c.clients = 30'000;
  c.seed = 3;
  return c;
}

bool agrees(const estimate& e, double value) { return std::fabs(e.value - value) <= e.plus_minus; }

/// Linux 6.18's listen(N) has room for N + 1, and one more is being served.
std::uint64_t places(int backlog) { return static_cast<std::uint64_t>(backlog) + 2; }

constexpr setting cookies_off{tunable::syncookies, 0};
constexpr setting no_last_quarter{tunable::max_syn_backlog, 1'000'000};

}  // namespace

// Catches a slot too many or too few, a connection that is served twice, time lost between two accepts.
TEST_CASE("Poisson arrivals, exponential service, nobody comes again: loss and wait are those of M/M/1/K") {
  for (const auto& [rho, backlog] : {std::pair{0.8, 3}, std::pair{1.0, 3}, std::pair{1.3, 3}}) {
    CAPTURE(rho);
    CAPTURE(backlog);
    const crowd_report r = play(plain(rho), backlog);
    CHECK(agrees(r.turned_away, mm1k_loss(rho, places(backlog))));
    CHECK(agrees(r.wait, mm1k_wait(rho, places(backlog), 1000) * 1e6));
    CHECK(r.turned_away.plus_minus < 0.1 * r.turned_away.value);
    CHECK_FALSE(agrees(r.turned_away, mm1k_loss(rho, places(backlog) - 1)));
    CHECK_FALSE(agrees(r.turned_away, mm1k_loss(rho, places(backlog) + 1)));
    CHECK(r.most_waiting == static_cast<std::uint32_t>(backlog) + 1);
  }
}

TEST_CASE("a queue with room enough: M/M/1's tail") {
  const crowd_report r = play(plain(0.8), 1000);
  CHECK(r.turned_away.value == 0);
  const double p99 = mm1k_wait_quantile(0.8, 1002, 1000, 0.01) * 1e6;
  CHECK(static_cast<double>(r.wait_exceeded_by(0.01)) == doctest::Approx(p99).epsilon(0.1));
}

// Catches a generator whose bursts are no bursts.
TEST_CASE("in bursts, M/M/1/K is wrong") {
  crowd c = plain(0.5);
  c.burst = 8;
  const crowd_report r = play(c, 15);
  CHECK(mm1k_loss(0.5, places(15)) < 1e-5);
  CHECK(r.turned_away.value > 0.01);
}

// Catches a stall that is none, that comes at every accept, or that a busy application sleeps through.
TEST_CASE("what a stall loses is what a fluid would lose, and M/M/1/K knows nothing of it") {
  crowd c = plain(0.5);
  c.stall = second;
  c.every = 4 * second;
  const crowd_report r = play(c, 199);
  CHECK(r.periods == 20);
  const double overflow = (500.0 - 200) / (500 * 4);
  CHECK(r.turned_away.value == doctest::Approx(overflow).epsilon(0.1));
  CHECK(agrees(r.turned_away, overflow));
  CHECK(mm1k_loss(0.5, places(199)) < 1e-9);
  CHECK(r.waits.back() > 900 * millisecond);
  CHECK(r.waits.back() < 1100 * millisecond);
}

TEST_CASE("requests: Erlang-B, whatever the law of the time until the ACK") {
  const double expected = erlang_b(20, 21);  // listen(20) keeps 21
  for (const law how : {law::fixed, law::exponential}) {
    const crowd_report r = play(holding(20, 200 * millisecond, how), 20, {cookies_off, no_last_quarter});
    CHECK(agrees(r.turned_away, expected));
    CHECK_FALSE(agrees(r.turned_away, erlang_b(20, 23)));
    CHECK(r.most_requests == 21);
    CHECK(r.stranded == 0);
  }
}

// Catches silent clients that are counted, or that keep no request.
TEST_CASE("requests of clients that never ACK keep their place until they die, and honest ones pay for it") {
  using brief = with<preset::linux_6_18, schedule<fixed_lifetime<200'000>>, pressure<no_pressure>>;
  crowd c = holding(20, 0, law::fixed);
  c.rate = 200;
  c.never_ack = 0.5;
  const crowd_report r = play<brief>(c, 20, {cookies_off, no_last_quarter});
  CHECK(agrees(r.turned_away, erlang_b(20, 21)));
  CHECK(r.most_requests == 21);
  CHECK(r.clients == doctest::Approx(30'000).epsilon(0.02));
}

// Catches a deadline that ends nothing, and SYNs that go on behind it.
TEST_CASE("a client that nobody answers sends its SYN again after 1 and 3 s, and gives up") {
  crowd c;
  c.rate = 100;
  c.deadline = 5 * second;
  c.service = 0.01;  // one accept in 100 s
  c.clients = 2000;
  const crowd_report r = play(c, 0, {cookies_off});
  REQUIRE(r.steps.size() == 2);
  CHECK(r.steps[0] > 0.99);
  CHECK(r.steps[1] > 0.99);
  CHECK(r.beyond.value == 1);
  CHECK(r.wait_exceeded_by(0.01) == -1);
  c.kernel = profile::linux_6_18;
  CHECK(play(c, 0, {cookies_off}).steps.size() == 4);  // 1, 2, 3 and 4 s
}

// Catches an ignored final ACK that is not counted, and a client that does not say its first bytes again.
TEST_CASE("a final ACK that finds no room is ignored, and the client's first bytes bring it in later") {
  crowd c;
  c.rate = 20;
  c.burst = 20;
  c.service = 1000;
  c.clients = 4000;
  const crowd_report r = play(c, 4);  // 5 requests, then cookies
  CHECK(r.stranded > 0.5);
  CHECK(r.stranded == doctest::Approx(r.turned_away.value));
  CHECK(r.steps.empty());
  CHECK(r.beyond.value < 0.01);
  CHECK(r.waits.back() > 200 * millisecond);
  c.retransmit = false;
  CHECK(play(c, 4).beyond.value > 0.5);
}

// Catches abort on overflow that nobody hears of.
TEST_CASE("where the final ACK gets a RST, the client is refused") {
  crowd c;
  c.rate = 20;
  c.burst = 20;
  c.service = 1000;
  c.clients = 4000;
  const crowd_report r =
      play<preset::linux_3_12>(c, 2, {cookies_off, {tunable::abort_on_overflow, 1}});  // 16 requests, 3 wait
  CHECK(r.refused > 0.5);
  CHECK(r.stranded == doctest::Approx(r.refused));
  CHECK(r.beyond.value >= r.refused);
}

TEST_CASE("a backlog that is too long serves clients that have given up") {
  crowd c;
  c.rtt = 0;
  c.rate = 200;
  c.deadline = second;
  c.service = 100;
  c.clients = 10'000;
  const crowd_report deep = play(c, 1000);
  const crowd_report flat = play(c, 50);
  CHECK(deep.beyond.value > 0.9);
  CHECK(deep.late > 0.2);
  CHECK(flat.late < 0.05);
  CHECK(flat.beyond.value < 0.6);
}

// Catches state that is kept from run to run, and a seed that is not used.
TEST_CASE("the same seed is the same run") {
  crowd c = plain(0.9);
  c.clients = 5000;
  const crowd_report first = play(c, 7);
  CHECK(first.waits == play(c, 7).waits);
  c.seed = 2;
  CHECK(first.waits != play(c, 7).waits);
  CHECK(first.clients == doctest::Approx(5000).epsilon(0.1));
}
