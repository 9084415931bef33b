// SPDX-License-Identifier: BSL-1.0
// TCP_DEFER_ACCEPT at whole listeners (kernels.md 3.5): what counts as bare, and what the wait has to do with a full
// accept queue. The policy's arithmetic is in policy/deferral.cpp, recorded lives are in listener_timers.cpp.
#include <doctest/doctest.h>

#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <vector>

#include "support/script.hpp"

using namespace listenq;
using namespace listenq::test;

namespace {

template <class L>
script<L> deferring(int backlog, std::uint32_t seconds) {
  script<L> s{backlog};
  s.listener.set(tunable::defer_accept, seconds);
  return s;
}

/// When SYN-ACKs leave after the first, in whole seconds (a sweep may be late by less than one).
template <class L>
std::vector<instant> repetitions(script<L>& s, instant until) {
  std::vector<instant> times;
  for (auto due = s.listener.next_deadline(); due && *due <= until; due = s.listener.next_deadline()) {
    const std::size_t before = s.out.count;
    s.tick(*due);
    if (s.out.count > before) times.push_back(s.now / second);
  }
  return times;
}

}  // namespace

// tcp_check_req compares the segment's end with rcv_isn + 1. `payload.empty()` instead would hold the second back.
TEST_CASE("a bare ACK is one that ends right behind the SYN") {
  auto s = deferring<preset::linux_6_18>(4, 30);
  s.syn(0), s.syn(1);
  CHECK(s.send(0, {.flags = flag::ack, .seq = 1, .ack = 1}) == verdict::deferred);
  CHECK(s.send(1, {.flags = flag::ack, .seq = 2, .ack = 1}) == verdict::promoted);
}

// kernels.md 6, invariant 30, on both clocks: silent while timeouts < d - 1, then once for each timeout.
TEST_CASE("an acked request is silent until the last period, with timers and with a sweep") {
  auto modern = deferring<preset::linux_6_18>(4, 7);  // three periods
  modern.syn(0);
  CHECK(modern.ack(0) == verdict::deferred);
  CHECK(repetitions(modern, at(40)) == std::vector<instant>{7, 15, 31});
  auto swept = deferring<preset::linux_3_12>(4, 7);
  swept.syn(0);
  CHECK(swept.ack(0) == verdict::deferred);
  const std::vector<instant> times = repetitions(swept, at(40));
  REQUIRE(times.size() == 3);
  CHECK(times[0] >= 7);
  CHECK(times[0] < 9);
  CHECK(times[1] >= 15);
  CHECK(times[2] >= 31);
}

TEST_CASE("a request whose ACK has not come is repeated as without deferral") {
  auto s = deferring<preset::linux_6_18>(4, 30);
  s.syn(0);
  CHECK(repetitions(s, at(40)) == std::vector<instant>{1, 3, 7, 15, 31});
}

// `acked` is one mark for two reasons: data that found no room silence the SYN-ACK just as a bare ACK does.
TEST_CASE("data that find the accept queue full are an ACK that has come: the SYN-ACK waits for the last period") {
  auto full = deferring<preset::linux_6_18>(0, 7);
  full.syn(0);
  full.facts.isn = 7;  // beside the limit of one request
  full.syn(1);
  full.facts.isn = 0;
  CHECK(full.data(0) == verdict::promoted);
  CHECK(full.data(1) == verdict::overflow_kept);
  CHECK(full.request(1).acked);
  CHECK(repetitions(full, at(8)) == std::vector<instant>{7});
  full.listener.accept();
  CHECK(full.ack(1) == verdict::promoted);  // the wait is over: a bare ACK will do
}

// The tunable is read at each ACK: a server may stop deferring while requests wait.
TEST_CASE("an application that turns deferral off takes the next bare ACK") {
  auto s = deferring<preset::linux_6_18>(4, 30);
  s.syn(0);
  CHECK(s.ack(0) == verdict::deferred);
  s.listener.set(tunable::defer_accept, 0);
  CHECK(s.ack(0) == verdict::promoted);
}

// Quirk: the cookie's way to a connection never looks at deferral.
TEST_CASE("the bare ACK of a SYN cookie is enough") {
  auto s = deferring<preset::linux_6_18>(4, 30);
  s.listener.set(tunable::syncookies, 2);
  CHECK(s.syn(0) == verdict::cookie_sent);
  CHECK(s.ack(0) == verdict::cookie_promoted);
}
