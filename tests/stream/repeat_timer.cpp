// SPDX-License-Identifier: BSL-1.0
// stream/repeat_timer.hpp: intervals, round trips, what the timer is for.
#include <doctest/doctest.h>

#include <listenq/stream/repeat_timer.hpp>

using namespace listenq;

// Bug caught: a probe where the kernel had none.
TEST_CASE("a flight is probed first since 3.10, repeated at once before") {
  repeat_timer old(profile::linux_2_6_32);
  old.arm_flight(0, true);
  CHECK(old.reason() == repeat_reason::repeat);
  repeat_timer t(profile::linux_3_12);
  t.arm_flight(0, true);
  CHECK(t.reason() == repeat_reason::probe);
}

// Bug caught: the variance term or the minimum left out (Linux: srtt + max(200 ms, 4 rttvar)).
TEST_CASE("the interval is the round trip plus at least 200 ms, doubled by timeouts up to 120 s") {
  repeat_timer t(profile::linux_3_12);
  CHECK(t.interval() == 200 * millisecond);
  t.sample(40 * millisecond);
  CHECK(t.interval() == 240 * millisecond);
  t.sample(440 * millisecond);  // srtt 90, rttvar 20 + (400 - 20) / 4 = 115
  CHECK(t.interval() == 550 * millisecond);
  t.timed_out();
  CHECK(t.interval() == 1100 * millisecond);
  for (int i = 0; i < 30; ++i) t.timed_out();
  CHECK(t.interval() == 120 * second);
  CHECK(t.exhausted());
}

// Bug caught: a round trip measured from a repeated segment (Karn), or by an ACK of what came before it.
TEST_CASE("only an ACK of the timed segment, sent once, measures") {
  repeat_timer t(profile::linux_3_12);
  t.departed(100, 0);
  t.acknowledged(100, 50 * millisecond);
  CHECK(t.interval() == 200 * millisecond);
  t.repeated();
  t.acknowledged(101, 50 * millisecond);
  CHECK(t.interval() == 200 * millisecond);
  t.departed(101, 100 * millisecond);
  t.departed(102, 140 * millisecond);  // one at a time
  t.acknowledged(103, 150 * millisecond);
  CHECK(t.interval() == 250 * millisecond);
}

// Bug caught: 200 ms and a few microseconds of round trip taken for 200 ms. Recorded on 6.18 (HZ=250): 0.207, 0.415,
// 0.831, so that a SYN-ACK due at 15.0 s leaves before the data due at 15.056 s.
TEST_CASE("6.18 counts intervals in jiffies of 4 ms") {
  repeat_timer t(profile::linux_6_18);
  t.sample(20);
  CHECK(t.interval() == 204 * millisecond);
  t.timed_out();
  CHECK(t.interval() == 408 * millisecond);
}

// Bug caught: a timer due before its time or after it was stopped.
TEST_CASE("due from the deadline on, until stopped") {
  repeat_timer t(profile::linux_6_18);
  CHECK(!t.due(never));
  t.arm_repeat(1000);
  CHECK(!t.due(200'999));
  CHECK(t.due(201'000));
  t.stop();
  CHECK(!t.due(never));
}

// Bug caught: a flight whose tail got lost waiting as long as a lone segment, or a probe later than the timeout.
TEST_CASE("a probe for more than one segment comes after two round trips and 10 ms") {
  repeat_timer t(profile::linux_3_12);
  t.arm_flight(0, false);
  CHECK(t.deadline() == 200 * millisecond);  // nothing has been measured
  t.sample(20 * millisecond);
  t.arm_flight(0, false);
  CHECK(t.reason() == repeat_reason::probe);
  CHECK(t.deadline() == 50 * millisecond);
  t.arm_flight(0, true);
  CHECK(t.deadline() == t.interval());
  repeat_timer slow(profile::linux_3_12);
  slow.sample(10 * second);
  slow.arm_flight(0, false);
  CHECK(slow.deadline() == 20 * second + 10 * millisecond);
  repeat_timer old(profile::linux_2_6_32);
  old.sample(20 * millisecond);
  old.arm_flight(0, false);
  CHECK(old.reason() == repeat_reason::repeat);
  CHECK(old.deadline() == old.interval());
}

// Bug caught: an error of the wrong sign, so that a shorter round trip shortens the variance.
TEST_CASE("a round trip that is shorter than the mean counts as an error, too") {
  repeat_timer t(profile::linux_3_12);
  t.sample(800 * millisecond);  // srtt 800, rttvar 400
  t.sample(400 * millisecond);  // error 400: rttvar 400, srtt 750
  CHECK(t.interval() == 2350 * millisecond);
  t.sample(750 * millisecond);  // error 0: rttvar 300
  CHECK(t.interval() == 1950 * millisecond);
}

TEST_CASE("backed off is from the first timeout to the next answer") {
  repeat_timer t(profile::linux_3_12);
  CHECK_FALSE(t.backed_off());
  t.timed_out();
  CHECK(t.backed_off());
  CHECK(t.interval() == 400 * millisecond);
  t.answered();
  CHECK_FALSE(t.backed_off());
  CHECK(t.interval() == 200 * millisecond);
}

// Bug caught: a measurement that goes on after its segment was sent again.
TEST_CASE("what was repeated is not measured, and the next segment that leaves is") {
  repeat_timer t(profile::linux_3_12);
  t.departed(100, 0);
  t.repeated();
  t.acknowledged(200, 5 * second);
  CHECK(t.interval() == 200 * millisecond);
  t.departed(300, 6 * second);
  t.acknowledged(400, 6 * second + 100 * millisecond);
  CHECK(t.interval() == 300 * millisecond);
  t.acknowledged(500, 60 * second);  // nothing is being timed
  CHECK(t.interval() == 300 * millisecond);
}

TEST_CASE("before the first round trip the interval is rto_min and no more") {
  kernel_profile p = profile::linux_3_12;
  p.rto_min = 2 * microsecond;
  CHECK(repeat_timer(p).interval() == 2 * microsecond);
}
