// SPDX-License-Identifier: BSL-1.0
// preset/linux_2_6_32.hpp: the kernel of the articles' traces. kernels.md 2.1, 3.1, 3.2.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/preset/linux_2_6_32.hpp>
#include <vector>

#include "support/counters.hpp"
#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::counters_text;
using test::script;

namespace {

using preset::linux_2_6_32;

// When the first SYN-ACK is sent again to a client that is alone.
instant resent_at(int peer) {
  script<linux_2_6_32> s{1};
  s.syn(peer);
  while (s.out.count < 2) s.tick(*s.listener.next_deadline());
  return s.now;
}

}  // namespace

// Section 1.4 of the first article: the third client's SYN-ACK again 4.41 s after its SYN, that is 3 + 7 * 0.2.
TEST_CASE("the first SYN-ACK again: between 3.0 and 4.4 s, by the bucket, in steps of 0.2") {
  std::vector<int> buckets(8);
  for (int peer = 0; peer < 200; ++peer) {
    const instant t = resent_at(peer);
    CHECK(t >= at(3));
    CHECK(t <= at(4.4));
    REQUIRE((t - at(3)) % (200 * millisecond) == 0);
    ++buckets[static_cast<std::size_t>((t - at(3)) / (200 * millisecond))];
  }
  for (const int n : buckets) CHECK(n > 0);  // two of sixteen buckets a visit, so eight visits, and 4.4 s among them
}

// kernels.md 3.1, plus the hand: every timeout up to 1.4 s late.
TEST_CASE("SYN-ACKs at 3, 9, 21, 45, 93 s or a little later, silent death after 189 s") {
  script<linux_2_6_32> s{1};
  s.syn(0);
  s.run_until(at(400));
  CHECK(s.out.count == 6);
  CHECK(s.listener.request_count() == 0);
  script<linux_2_6_32> t{1};
  t.syn(0);
  t.run_until(at(188.9));
  CHECK(t.listener.request_count() == 1);
  t.run_until(at(189 + 6 * 1.4 + 0.2));
  CHECK(t.listener.request_count() == 0);
}

TEST_CASE("the third sequential client waits in SYN_RECV, and only the overflow of its ACK is counted") {
  script<linux_2_6_32> s{1};
  CHECK(s.connect(0, 1) == 2);
  CHECK(s.syn(2) == verdict::admitted);
  CHECK(s.ack(2) == verdict::overflow_kept);
  CHECK(counters_text(s.listener.counters()) == "PassiveOpens=2 ListenOverflows=1 ListenDrops=1");
  CHECK(s.syn(3) == verdict::admitted);
  CHECK(s.syn(4) == verdict::dropped_accept_full);  // silent, not even counted
  CHECK(counters_text(s.listener.counters()) == "PassiveOpens=2 ListenOverflows=1 ListenDrops=1");
}

TEST_CASE("a SYN with FIN opens a connection; later kernels throw it away") {
  script<linux_2_6_32> s{1};
  CHECK(s.send(0, {.flags = flag::syn | flag::fin}) == verdict::admitted);
  CHECK(s.ack(0) == verdict::promoted);
}

TEST_CASE("TCP_DEFER_ACCEPT counts in periods of 3, 6, 12 s") {
  script<linux_2_6_32> s{1};
  s.listener.set(tunable::defer_accept, 9);  // two periods
  s.syn(0);
  CHECK(s.ack(0) == verdict::deferred);
  s.run_until(at(6));
  CHECK(s.request(0).timeouts == 1);
  CHECK(s.out.count == 1);  // silent: its ACK has come
  CHECK(s.ack(0) == verdict::deferred);
  s.run_until(at(13));
  CHECK(s.request(0).timeouts == 2);
  CHECK(s.out.count == 2);  // the end of the last period provokes another ACK
  CHECK(s.ack(0) == verdict::promoted);
}

// kernels.md 2.1 step 1: any value but 0 is "under pressure"; step 6: ECN is not remembered; nothing else is counted.
TEST_CASE("cookies: off by default, never for everybody, without ECN, options in nine bits") {
  script<linux_2_6_32> s{1};
  CHECK(s.listener.get(tunable::syncookies) == 0);
  s.listener.set(tunable::syncookies, 2);
  for (int i = 0; i < 16; ++i) CHECK(s.syn(i) == verdict::admitted);
  s.now = at(2);
  CHECK(s.send(16, {.flags = flag::syn | flag::ece | flag::cwr,
                    .options = {.window_scale = 7, .sack_permitted = true, .timestamps = true, .ts_value = 5}}) ==
        verdict::cookie_sent);
  CHECK(s.out.last().flags == (flag::syn | flag::ack));
  CHECK((s.out.last().options.ts_value & 0x1ff) == 0x167);
  CHECK(counters_text(s.listener.counters()) == "SyncookiesSent=1");
  s.listener.set(tunable::syncookies, 0);
  CHECK(s.syn(17) == verdict::dropped_request_full);
}
