// SPDX-License-Identifier: BSL-1.0
// policy/cookie/pause.hpp (FreeBSD 13, syncache_pause): how long, when longer, when short again.
#include <doctest/doctest.h>

#include <listenq/policy/cookies.hpp>

using namespace listenq;

namespace {

using rest = pausing<in_every_iss<freebsd_13_cookie>>;

// How long a pause that begins now lasts, in seconds.
instant length(const rest& p, instant now) {
  instant end = now;
  while (p.paused(end)) end += second;
  return (end - now) / second;
}

}  // namespace

static_assert(pauses<rest> && !pauses<in_every_iss<freebsd_13_cookie>> && !pauses<no_cookies>);

TEST_CASE("no pause before the first overflow, then 15 s, the end not included") {
  rest p;
  CHECK_FALSE(p.paused(0));
  p.overflowed(10 * second);
  CHECK(p.paused(10 * second));
  CHECK(p.paused(25 * second - 1));
  CHECK_FALSE(p.paused(25 * second));
}

// A second overflow in the same pause would lengthen it; the kernel looks at `paused` first.
TEST_CASE("an overflow in a pause changes nothing") {
  rest p;
  p.overflowed(0);
  p.overflowed(14 * second);
  CHECK_FALSE(p.paused(15 * second));
  p.overflowed(15 * second);
  CHECK(length(p, 15 * second) == 30);
}

// kernels.md 2.4: 15 s << backoff, 0 to 6.
TEST_CASE("pause follows pause: 15, 30, 60, ... 960 s and no longer") {
  rest p;
  instant now = 0;
  for (const instant expected : {15, 30, 60, 120, 240, 480, 960, 960}) {
    p.overflowed(now);
    CHECK(length(p, now) == expected);
    now += expected * second;
  }
}

// `<=` for `<`: pause_until + delta - now > 0.
TEST_CASE("soon is within the last pause's length after its end") {
  rest soon;
  soon.overflowed(0);
  soon.overflowed(30 * second - 1);
  CHECK(soon.paused(30 * second - 2 + 30 * second));
  CHECK_FALSE(soon.paused(30 * second - 1 + 30 * second));
  rest late;
  late.overflowed(0);
  late.overflowed(30 * second);
  CHECK(length(late, 30 * second) == 15);
}

TEST_CASE("after a quiet time it is 15 s again") {
  rest p;
  p.overflowed(0), p.overflowed(15 * second), p.overflowed(45 * second);
  CHECK(length(p, 45 * second) == 60);
  p.overflowed(105 * second + 60 * second);
  CHECK(length(p, 165 * second) == 15);
  p.reset();
  CHECK_FALSE(p.paused(166 * second));
}

TEST_CASE("reset forgets how long the pauses had become, and the window of the cookies") {
  rest p;
  p.overflowed(0), p.overflowed(15 * second);
  p.reset();
  // With the pauses still in mind, the next one would count as soon after the last one.
  p.overflowed(46 * second);
  CHECK(length(p, 46 * second) == 15);
  pausing<in_every_iss<freebsd_13_cookie, freebsd_13_cookie::keys, after_cookie<60 * second>>> cookies;
  cookies.window.sent(0);
  REQUIRE(cookies.window.open({.now = 1}));
  cookies.reset();
  CHECK_FALSE(cookies.window.open({.now = 1}));
}

TEST_CASE("after the third pause, soon is its own length") {
  rest p;
  p.overflowed(0), p.overflowed(15 * second), p.overflowed(45 * second);  // until 105 s
  p.overflowed(164 * second);                                             // 59 s later: soon
  CHECK(length(p, 164 * second) == 120);
}

// Before the first pause there was none at all, however early it is: a count of doublings that begins at 1, or outlives
// a reset, takes the start of time for the end of a pause.
TEST_CASE("the first pause is 15 s even at the first instants that there are, after a reset, too") {
  const instant early = -never + 20 * second;
  rest p;
  p.overflowed(early);
  CHECK(length(p, early) == 15);
  p.overflowed(early + 15 * second);
  CHECK(length(p, early + 15 * second) == 30);
  p.reset();
  p.overflowed(early);
  CHECK(length(p, early) == 15);
}
