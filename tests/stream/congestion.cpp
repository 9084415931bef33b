// SPDX-License-Identifier: BSL-1.0
// stream/congestion.hpp: the windows of RFC 5681, RFC 6582 and RFC 6928, ACK by ACK.
#include <doctest/doctest.h>

#include <listenq/stream/congestion.hpp>

using namespace listenq;

namespace {
constexpr std::uint32_t mss = 1000;
}

// Bug caught: ten segments whatever their size.
TEST_CASE("the initial window is ten segments, fewer when they are large") {
  CHECK(congestion::initial(536) == 5360);
  CHECK(congestion::initial(1448) == 14480);
  CHECK(congestion::initial(1460) == 14600);
  CHECK(congestion::initial(2000) == 14600);
  CHECK(congestion::initial(9000) == 18000);
}

// Bug caught: growth by what a stretch ACK covers (RFC 5681 2.3's L), or below it.
TEST_CASE("slow start adds what is acknowledged, at most a segment an ACK") {
  congestion c(mss);
  CHECK(c.window() == 10 * mss);
  CHECK_FALSE(c.advanced(1000, mss, 9 * mss));
  CHECK(c.window() == 11 * mss);
  c.advanced(4000, 3 * mss, 6 * mss);
  CHECK(c.window() == 12 * mss);
  c.advanced(4100, 100, 6 * mss);
  CHECK(c.window() == 12 * mss + 100);
}

// Bug caught: two duplicates taken for a loss, or the third not; a window that forgets the three that have left.
TEST_CASE("the third duplicate ACK is a loss: half the flight, three segments more") {
  congestion c(mss);
  CHECK_FALSE(c.duplicate(0, 10 * mss));
  CHECK(c.window() == 11 * mss);  // limited transmit
  CHECK_FALSE(c.duplicate(0, 10 * mss));
  CHECK(c.window() == 12 * mss);
  CHECK(c.duplicate(0, 12 * mss));
  CHECK(c.threshold() == 6 * mss);
  CHECK(c.window() == 9 * mss);
  CHECK(c.recovering());
  CHECK_FALSE(c.duplicate(0, 12 * mss));
  CHECK(c.window() == 10 * mss);
}

// Bug caught: a probe whose answer is not listened to, so that a lost tail waits for the timeout.
TEST_CASE("after a probe one duplicate ACK is enough, but not for what a timeout has repeated") {
  congestion c(mss);
  CHECK(c.duplicate(0, 4 * mss, true));
  CHECK(c.recovering());
  congestion d(mss);
  d.timed_out(0, 4 * mss, false);
  d.advanced(4 * mss, 4 * mss, 0);
  CHECK_FALSE(d.duplicate(3 * mss, 6 * mss, true));
}

// Bug caught: recovery that ends at the first ACK, so that the second hole of a flight waits for the timer.
TEST_CASE("a partial ACK repeats the next hole, a full one deflates the window") {
  congestion c(mss);
  for (int i = 0; i < 3; ++i) c.duplicate(0, 12 * mss);
  CHECK(c.window() == 9 * mss);
  CHECK(c.advanced(5 * mss, 5 * mss, 7 * mss));
  CHECK(c.window() == 5 * mss);  // 9 - 5 + 1
  CHECK(c.recovering());
  CHECK_FALSE(c.advanced(12 * mss, 7 * mss, 2 * mss));
  CHECK_FALSE(c.recovering());
  CHECK(c.window() == 3 * mss);
  c = congestion(mss);
  for (int i = 0; i < 3; ++i) c.duplicate(0, 40 * mss);
  c.advanced(40 * mss, 40 * mss, 30 * mss);
  CHECK(c.window() == 20 * mss);
}

TEST_CASE("congestion avoidance adds a segment a window") {
  congestion c(mss);
  for (int i = 0; i < 3; ++i) c.duplicate(0, 8 * mss);
  c.advanced(8 * mss, 8 * mss, 8 * mss);
  REQUIRE(c.window() == 4 * mss);
  for (int i = 0; i < 3; ++i) c.advanced(9 * mss, mss, 4 * mss);
  CHECK(c.window() == 4 * mss);
  c.advanced(9 * mss, mss, 4 * mss);
  CHECK(c.window() == 5 * mss);
  for (int i = 0; i < 4; ++i) c.advanced(9 * mss, mss, 4 * mss);
  CHECK(c.window() == 5 * mss);
  c.advanced(9 * mss, mss, 4 * mss);
  CHECK(c.window() == 6 * mss);
}

// Bug caught: each timeout of one segment halving the threshold again, down to nothing (RFC 5681 3.1).
TEST_CASE("a timeout leaves one segment, and a repeated one the threshold as it was") {
  congestion c(mss);
  c.timed_out(0, 10 * mss, false);
  CHECK(c.window() == mss);
  CHECK(c.threshold() == 5 * mss);
  c.timed_out(0, 30 * mss, true);
  CHECK(c.threshold() == 5 * mss);
  CHECK(c.advanced(mss, mss, 29 * mss));
  CHECK(c.window() == 2 * mss);
  CHECK(c.advanced(5 * mss, 4 * mss, 25 * mss));  // hole after hole
  CHECK(c.window() == 3 * mss);                   // slow start goes on
  CHECK_FALSE(c.advanced(30 * mss, 25 * mss, 0));
  CHECK(c.window() == 4 * mss);
  CHECK_FALSE(c.recovering());
  c.timed_out(0, mss, false);
  CHECK(c.threshold() == 2 * mss);  // never less than two segments
}

// Bug caught: the duplicates that repeated segments cause taken for another loss (RFC 6582 3.2 (2)).
TEST_CASE("duplicates for what a timeout has repeated are no new loss") {
  congestion c(mss);
  c.timed_out(0, 10 * mss, false);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(c.duplicate(0, 10 * mss));
  c.advanced(10 * mss, 10 * mss, 0);
  const std::uint32_t before = c.window();
  for (int i = 0; i < 5; ++i) CHECK_FALSE(c.duplicate(9 * mss, 12 * mss));
  CHECK(c.window() == before + 2 * mss);  // and let no more than two new segments go
  c.advanced(11 * mss, mss, 4 * mss);
  c.duplicate(11 * mss, 15 * mss);
  c.duplicate(11 * mss, 15 * mss);
  CHECK(c.duplicate(11 * mss, 15 * mss));
}

// Bug caught: numbers compared as plain integers.
TEST_CASE("a loss across the wrap is repaired where the flight ended") {
  congestion c(mss);
  const seq_number una = 0xffffffffU - 3 * mss;
  for (int i = 0; i < 3; ++i) c.duplicate(una, una + 8 * mss);
  CHECK(c.advanced(una + 5 * mss, 5 * mss, 3 * mss));
  CHECK_FALSE(c.advanced(una + 8 * mss, 3 * mss, 0));
}

TEST_CASE("after a pause the window is the initial one again, or what it was if that is less") {
  congestion c(mss);
  for (seq_number i = 1; i < 10; ++i) c.advanced(i * mss, mss, mss);
  c.idle();
  CHECK(c.window() == 10 * mss);
  c.timed_out(0, 10 * mss, false);
  c.idle();
  CHECK(c.window() == mss);
}

// Bug caught: a partial ACK that takes more out of the window than there is, or nothing back for a whole segment.
TEST_CASE("a partial ACK takes what it acknowledges, gives a segment back if it is one, and never goes below one") {
  congestion c(mss);
  for (int i = 0; i < 3; ++i) c.duplicate(0, 10 * mss);  // threshold 5, window 8
  CHECK(c.advanced(2 * mss, 2 * mss, 8 * mss));
  CHECK(c.window() == 7 * mss);
  CHECK(c.advanced(2 * mss + 100, 100, 8 * mss - 100));
  CHECK(c.window() == 7 * mss - 100);
  CHECK(c.advanced(3 * mss + 100, mss, 7 * mss - 100));
  CHECK(c.window() == 7 * mss - 100);
  CHECK(c.advanced(9 * mss, 60 * mss, mss));
  CHECK(c.window() == 2 * mss);
  CHECK(c.recovering());
}

// Bug caught: a recovery that ends with every ACK, or never.
TEST_CASE("recovery ends with the ACK of all that was in flight when it began, or when nothing is left in flight") {
  congestion c(mss);
  for (int i = 0; i < 3; ++i) c.duplicate(0, 10 * mss);
  CHECK(c.advanced(10 * mss - 1, mss, mss));
  CHECK_FALSE(c.advanced(10 * mss, 1, 0));
  CHECK_FALSE(c.recovering());
  CHECK(c.window() == 2 * mss);  // no burst
  congestion d(mss);
  for (int i = 0; i < 3; ++i) d.duplicate(0, 10 * mss);
  CHECK_FALSE(d.advanced(4 * mss, 4 * mss, 0));
  CHECK_FALSE(d.recovering());
}

// Bug caught: duplicates of before a loss that still count after it, so that one more is taken for the third.
TEST_CASE("a timeout starts the counting of duplicates and of acknowledged bytes anew") {
  congestion c(mss);
  c.duplicate(0, 10 * mss), c.duplicate(0, 10 * mss);
  c.timed_out(0, 10 * mss, false);
  CHECK(c.threshold() == 5 * mss);
  CHECK(c.window() == mss);
  CHECK_FALSE(c.duplicate(0, 10 * mss));
  CHECK(c.recovering());
  CHECK_FALSE(c.advanced(10 * mss, 10 * mss, 0));
  CHECK_FALSE(c.recovering());
  CHECK_FALSE(c.duplicate(10 * mss, 12 * mss));
  CHECK_FALSE(c.duplicate(10 * mss, 12 * mss));
  CHECK(c.duplicate(10 * mss, 12 * mss));
}

TEST_CASE("the flight that is halved is what lies between the two numbers, wherever they lie") {
  congestion c(mss);
  c.timed_out(0xfffffff0U, 0xfffffff0U + 12 * mss, false);
  CHECK(c.threshold() == 6 * mss);
  congestion d(mss);
  for (int i = 0; i < 3; ++i) d.duplicate(50 * mss, 58 * mss);
  CHECK(d.threshold() == 4 * mss);
}

TEST_CASE("duplicates outside recovery widen the window by a segment each, at most two; in recovery by one each") {
  congestion c(mss);
  CHECK(c.window() == 10 * mss);
  c.duplicate(0, 10 * mss);
  CHECK(c.window() == 11 * mss);
  c.timed_out(0, 10 * mss, false);
  CHECK(c.window() == mss);
  c.duplicate(0, 10 * mss);
  CHECK(c.window() == mss);  // after a timeout duplicates say nothing
}

// Bug caught: the end of a flight that never lost anything taken for a place still to be repaired.
TEST_CASE("without a loss no ACK repairs anything, whatever its number") {
  for (const seq_number ack : {seq_number{1}, 0x7fffffffU, 0x80000001U, 0xffffffffU}) {
    congestion c(mss);
    CHECK_FALSE(c.advanced(ack, mss, 9 * mss));
    CHECK(c.window() == 11 * mss);
  }
}

// RFC 5681 3.1: a segment for each window acknowledged. Bug caught: what was counted before a loss counting after it.
TEST_CASE("the counting towards the next segment is exact to the byte and begins anew with a loss") {
  congestion c(mss);
  const auto lose = [&c](seq_number una) {
    for (int i = 0; i < 3; ++i) c.duplicate(una, una + 8 * mss);
    c.advanced(una + 8 * mss, 8 * mss, 8 * mss);
    REQUIRE(c.window() == 4 * mss);
  };
  lose(0);
  for (int i = 0; i < 3; ++i) c.advanced(8 * mss, mss, 4 * mss);
  lose(8 * mss);
  for (int i = 0; i < 3; ++i) c.advanced(16 * mss, mss, 4 * mss);
  c.advanced(16 * mss, mss - 1, 4 * mss);
  CHECK(c.window() == 4 * mss);
  c.advanced(16 * mss, 1, 4 * mss);
  CHECK(c.window() == 5 * mss);
}
