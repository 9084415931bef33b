// SPDX-License-Identifier: BSL-1.0
// preset/freebsd_13.hpp: no test before the final ACK, then 3N/2 + 1.
#include <doctest/doctest.h>

#include <listenq/preset/freebsd_13.hpp>

#include "support/preset_numbers.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::freebsd_13;

// freebsd-net, January 2009: listen(128) shows 193 waiting.
TEST_CASE("3N/2 + 1 connections wait") {
  CHECK(waiting_for_accept<freebsd_13>(0) == 1);
  CHECK(waiting_for_accept<freebsd_13>(5) == 8);
  CHECK(waiting_for_accept<freebsd_13>(128) == 193);
  CHECK(waiting_for_accept<freebsd_13>(-1) == 193);
  CHECK(waiting_for_accept<freebsd_13>(5000) == 193);
}

// osv#283 and FreeBSD 7.1's trace: SYN, SYN-ACK, ACK, RST.
TEST_CASE("a SYN is always answered; the final ACK that finds no room gets a RST") {
  CHECK(late_syn<freebsd_13>(5) == "admitted");
  CHECK(late_ack<freebsd_13>(5) == "overflow_reset");
  CHECK_FALSE(explain<freebsd_13>(5).young_when_full);
}

// The 31st of a bucket throws out the first of that bucket.
TEST_CASE("a bucket of 30: the oldest makes room") {
  script<freebsd_13> s{5};
  const std::uint32_t bucket = s.listener.bucket_of(tuple<ipv4>(0));
  int in_bucket = 0;
  for (int i = 0; in_bucket < 31; ++i) {
    if (s.listener.bucket_of(tuple<ipv4>(i)) != bucket) continue;
    CHECK(s.syn(i) == verdict::admitted);
    ++in_bucket;
    CHECK(s.last.stages.has(stage::evicted) == (in_bucket == 31));
  }
  CHECK_FALSE(s.waits(0));
  CHECK(s.listener.request_count() == 30);
}

TEST_CASE("SYN-ACKs at 1, 3, 7 s, stale at 15 s") {
  CHECK(life<freebsd_13>() == std::vector<std::int64_t>{0, 1000, 3000, 7000, 15000});
}

TEST_CASE("a SYN-ACK that cannot leave costs the request at the SYN, not later") {
  script<freebsd_13> s{5};
  s.out.answer = send_result::failed;
  CHECK(s.syn(0) == verdict::dropped_send_failed);
  s.out.answer = send_result::sent;
  s.syn(1);
  s.out.answer = send_result::failed;
  s.run_until(at(1.5));
  CHECK(s.waits(1));
}
