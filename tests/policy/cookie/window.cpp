// SPDX-License-Identifier: BSL-1.0
// policy/cookie/window.hpp (kernels.md 4.2 and 4.4), to the microsecond.
#include <doctest/doctest.h>

#include <listenq/policy/cookie/window.hpp>

using namespace listenq;

static_assert(cookie_window<after_cookie<3 * second>> && cookie_window<after_bucket_overflow<15 * second>> &&
              cookie_window<while_request_full> && cookie_window<any_time>);
static_assert(!after_cookie<3 * second>::needs_buckets && after_bucket_overflow<15 * second>::needs_buckets);

// `<` for `<=` (time_after: the last instant counts), or a window that is open before there was a cookie.
TEST_CASE("after a cookie: open for its length, that instant included; closed before the first one") {
  after_cookie<3 * second> w;
  CHECK_FALSE(w.open({.now = 0}));
  CHECK_FALSE(w.open({.now = 1000 * second}));
  w.sent(10 * second);
  CHECK(w.open({.now = 10 * second}));
  CHECK(w.open({.now = 13 * second}));
  CHECK_FALSE(w.open({.now = 13 * second + 1}));
  w.sent(13 * second + 1);
  CHECK(w.open({.now = 16 * second + 1}));
  w.reset();
  CHECK_FALSE(w.open({.now = 14 * second}));
}

// The cookie at time 0 is one, too.
TEST_CASE("a cookie at the origin of time opens it") {
  after_cookie<3 * second> w;
  w.sent(0);
  CHECK(w.open({.now = 3 * second}));
  CHECK_FALSE(w.open({.now = 3 * second + 1}));
}

// tcp_synq_overflow: at most once a second, and exactly a second later is not later.
TEST_CASE("a stamp is renewed only when it is older than the step") {
  after_cookie<120 * second, 1 * second> w;
  w.sent(0);
  w.sent(1 * second);
  CHECK(w.open({.now = 120 * second}));
  CHECK_FALSE(w.open({.now = 120 * second + 1}));
  w.sent(1 * second + 1);
  CHECK(w.open({.now = 121 * second + 1}));
  CHECK_FALSE(w.open({.now = 121 * second + 2}));
}

// A window a listener wide would let the cookies of a bucket that never lost anything in.
TEST_CASE("after a bucket's overflow: cookies sent do not matter") {
  after_bucket_overflow<15 * second> w;
  w.sent(10 * second);
  CHECK_FALSE(w.open({.now = 10 * second}));
  CHECK(w.open({.now = 25 * second, .bucket_overflow = 10 * second}));
  CHECK_FALSE(w.open({.now = 25 * second + 1, .bucket_overflow = 10 * second}));
}

TEST_CASE("while the queue is full, and any time") {
  CHECK(while_request_full::open({.request_full = true}));
  CHECK_FALSE(while_request_full::open({.now = 5}));
  CHECK(any_time::open({}));
}
