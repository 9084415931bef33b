// SPDX-License-Identifier: BSL-1.0
// listener.hpp, detail/ageing.hpp: tick, next_deadline, and what a due timer does, by deadline and by sweep.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_2_6_32.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <vector>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::script;
using test::tuple;

namespace {

using modern = preset::linux_6_18;
using oldest_first = with<modern, clockwork<exact<tie_order::oldest_first>>>;

// The peers to whom the last `n` segments went, in order.
template <class S>
std::vector<int> peers(const S& s, std::size_t n) {
  std::vector<int> who;
  for (std::size_t i = s.out.count - n; i < s.out.count; ++i) {
    who.push_back(s.out[i].destination.port - test::first_port);
  }
  return who;
}

// When SYN-ACKs left for a SYN at 0 that nobody answers, then when the request died.
template <class L>
std::vector<instant> life(script<L> s) {
  std::vector<instant> times;
  s.syn(0);
  times.push_back(0);
  while (const auto due = s.listener.next_deadline()) {
    const std::size_t before = s.out.count;
    s.tick(*due);
    if (s.out.count > before || s.listener.request_count() == 0) times.push_back(s.now);
  }
  return times;
}

}  // namespace

TEST_CASE("6.18: SYN-ACKs at 0, 1, 3, 7, 15, 31 s, silent death at 63 s") {
  CHECK(life(script<modern>{16}) == std::vector<instant>{0, at(1), at(3), at(7), at(15), at(31), at(63)});
}

// kernels.md 6, invariant 21: at most `retries` resends, and 0 is one of them.
TEST_CASE("synack_retries is read at each timeout") {
  for (std::uint32_t retries = 0; retries <= 5; ++retries) {
    script<modern> s{16};
    s.listener.set(tunable::synack_retries, retries);
    s.syn(0);
    s.run_until(at(200));
    CHECK(s.out.count == retries + 1);
    CHECK(s.listener.request_count() == 0);
    CHECK(s.listener.counters().timeouts == retries + 1);
  }
  script<modern> s{16};
  s.syn(0);
  s.run_until(at(3.5));
  s.listener.set(tunable::synack_retries, 1);
  s.run_until(at(7));
  CHECK(s.listener.request_count() == 0);
  CHECK(s.out.count == 3);
}

TEST_CASE("a fixed lifetime: nothing is sent again") {
  CHECK(life(script<with<modern, schedule<fixed_lifetime<75 * second>>>>{16}) == std::vector<instant>{0, at(75)});
}

TEST_CASE("a tick before the deadline does nothing, one at the deadline does it") {
  script<modern> s{4};
  s.syn(0);
  CHECK(s.listener.next_deadline() == at(1));
  CHECK(s.tick(at(1) - 1).timers == 0);
  CHECK(s.out.count == 1);
  const tick_summary sum = s.tick(at(1));
  CHECK(sum.timers == 1);
  CHECK(sum.resent == 1);
  CHECK(sum.forgotten == 0);
  CHECK(s.out.count == 2);
  CHECK(s.listener.young_count() == 0);
  CHECK(s.listener.next_deadline() == at(3));
}

// A timeout that is caught up in a burst: the peer would get three SYN-ACKs at once, and the request age by three.
TEST_CASE("a late tick fires each timer once, in deadline order, and the next timeout counts from now") {
  script<modern> s{16};
  for (int i = 0; i < 3; ++i) s.now = at(0.1 * i), s.syn(i);
  const tick_summary sum = s.tick(at(20));
  CHECK(sum.timers == 3);
  CHECK(sum.resent == 3);
  CHECK(peers(s, 3) == std::vector<int>{0, 1, 2});
  CHECK(s.request(0).timeouts == 1);
  CHECK(s.listener.next_deadline() == at(22));
}

// golden/synack.json: requests of one tick leave in reverse order on 6.18.
TEST_CASE("requests that are due at the same instant: newest first or oldest first, as the clockwork says") {
  script<modern> n{16};
  script<oldest_first> o{16};
  for (int i = 0; i < 4; ++i) n.syn(i), o.syn(i);
  n.run_until(at(1));
  o.run_until(at(1));
  CHECK(peers(n, 4) == std::vector<int>{3, 2, 1, 0});
  CHECK(peers(o, 4) == std::vector<int>{0, 1, 2, 3});
}

TEST_CASE("deadlines of different timeouts interleave") {
  script<modern> s{16};
  s.syn(0);
  s.run_until(at(2.5));  // peer 0 is next due at 3
  s.syn(1);              // at 3.5
  s.run_until(at(3.2));
  CHECK(peers(s, 1) == std::vector<int>{0});
  s.syn(2);  // at 4.2
  s.run_until(at(4.2));
  CHECK(peers(s, 2) == std::vector<int>{1, 2});
}

// A clock that steps back must neither fire nor hold up anything.
TEST_CASE("a time in the past counts as no time passed") {
  script<modern> s{16};
  s.now = at(10);
  s.syn(0);
  s.now = at(5);
  s.syn(1);
  CHECK(s.request(1).deadline == at(11));
  s.tick(at(1));
  CHECK(s.out.count == 2);
  s.tick(at(11));
  CHECK(s.out.count == 4);
  CHECK(s.listener.accept(at(3)).status == accept_status::would_block);
  CHECK(s.listener.listen(8, at(2)));
  s.tick(at(2));
  CHECK(s.out.count == 4);
}

// The mark of the last answer has 16 bits of 4 ms: without ageing, one round later it would look fresh.
TEST_CASE("a duplicate SYN 262 s after the last answer is not rate limited") {
  script<with<modern, schedule<doubling<1 * second, 12>>>> s{16};
  s.syn(0);
  s.now = at(0.6);
  s.syn(0);
  s.run_until(at(0.6 + 262.144));
  REQUIRE(s.waits(0));
  CHECK(s.syn(0) == verdict::duplicate_syn);
  CHECK(s.last.stages.has(stage::answered));
}

TEST_CASE("set and unreachable move time forward, too") {
  script<modern> s{16};
  s.listener.set(tunable::syncookies, 0, at(5));
  s.syn(0);
  CHECK(s.request(0).deadline == at(6));
  s.listener.unreachable(tuple(9), 0, at(7));
  s.syn(1);
  CHECK(s.request(1).deadline == at(8));
}

TEST_CASE("there is no deadline without a request") {
  script<modern> s{16};
  CHECK_FALSE(s.listener.next_deadline());
  s.syn(0), s.ack(0);
  CHECK_FALSE(s.listener.next_deadline());
  s.syn(1), s.rst(1);
  CHECK_FALSE(s.listener.next_deadline());
  CHECK(s.tick(at(100)).timers == 0);
}

// --- sinks that fail or ask for time
// ------------------------------------------------------------------------------------

TEST_CASE("a SYN-ACK that cannot leave at a timeout ends the request, unless its ACK was seen or failure is harmless") {
  script<modern> f{4};
  f.syn(0);
  f.out.answer = send_result::failed;
  const tick_summary sum = f.tick(at(1));
  CHECK(sum.timers == 1);
  CHECK(sum.resent == 0);
  CHECK(sum.forgotten == 1);
  CHECK(f.listener.request_count() == 0);

  script<modern> a{1};
  a.syn(0), a.syn(1);
  a.listener.listen(0);
  a.ack(0), a.ack(1);
  REQUIRE(a.request(1).acked);
  a.out.answer = send_result::failed;
  a.tick(at(1));
  CHECK(a.waits(1));
  CHECK(a.request(1).timeouts == 1);
  CHECK(a.request(1).retransmits == 0);

  script<with<modern, send_failure<harmless>>> h{4};
  h.syn(0);
  h.out.answer = send_result::failed;
  CHECK(h.tick(at(1)).forgotten == 0);
  CHECK(h.request(0).timeouts == 1);
  CHECK(h.listener.counters().timeouts == 1);
  CHECK(h.listener.counters().retrans_segs == 0);
}

// A deadline that moves although nothing was sent, or a timeout counted twice.
TEST_CASE("a sink that says later leaves the rest due, and nothing of it counts as done") {
  script<oldest_first> s{16};
  for (int i = 0; i < 4; ++i) s.syn(i);
  s.out.patience = s.out.count + 2;
  const tick_summary cut_short = s.tick(at(1));
  CHECK(cut_short.later);
  CHECK(cut_short.timers == 2);
  CHECK(cut_short.resent == 2);
  CHECK(s.request(2).timeouts == 0);
  CHECK(s.listener.young_count() == 2);
  CHECK(s.listener.next_deadline() == at(1));
  CHECK(s.listener.counters().timeouts == 2);
  const auto untouched = s.request(2).last_ts;
  CHECK(untouched == s.request(2).first_ts);
  s.out.patience = ~std::size_t{0};
  const tick_summary the_rest = s.tick(at(1.5));
  CHECK_FALSE(the_rest.later);
  CHECK(the_rest.timers == 2);
  CHECK(peers(s, 4) == std::vector<int>{0, 1, 2, 3});
  CHECK(s.request(2).deadline == at(3.5));
  CHECK(s.request(0).deadline == at(3));
}

// A request that must die needs no room in the sink.
TEST_CASE("expiry goes on although the sink is full, as long as nothing is to be sent") {
  script<modern> s{16};
  s.listener.set(tunable::synack_retries, 0);
  s.syn(0), s.syn(1);
  s.out.patience = 0;
  const tick_summary sum = s.tick(at(1));
  CHECK_FALSE(sum.later);
  CHECK(sum.forgotten == 2);
  CHECK(s.listener.request_count() == 0);
}

TEST_CASE("a sweep that is told later comes back to the same bucket") {
  script<preset::linux_3_12> s{16};
  for (int i = 0; i < 20; ++i) s.syn(i);
  s.out.patience = s.out.count + 3;
  instant due = 0;
  for (;;) {  // the first visit that finds more than three
    due = *s.listener.next_deadline();
    if (s.tick(due).later) break;
  }
  CHECK(s.listener.next_deadline() == due);
  CHECK(s.listener.counters().timeouts == 3);
  s.out.patience = ~std::size_t{0};
  s.run_until(at(2));
  CHECK(s.listener.young_count() == 0);
  CHECK(s.listener.counters().timeouts == 20);
}

// A bound that is one off, that counts only what is sent or only what is forgotten, or that lets time stand still for
// those who are left.
TEST_CASE("a tick handles so many timers at most, and says whether there are more") {
  script<oldest_first> s{16};
  for (int i = 0; i < 5; ++i) s.syn(i);
  const auto first = s.listener.tick(at(1), s.out, 2);
  CHECK(first.timers == 2);
  CHECK(first.resent == 2);
  CHECK(first.later);
  CHECK(s.listener.next_deadline() == at(1));
  const auto none = s.listener.tick(at(1), s.out, 0);
  CHECK(none.timers == 0);
  CHECK(none.later);
  const auto exactly = s.listener.tick(at(1), s.out, 3);
  CHECK(exactly.timers == 3);
  CHECK_FALSE(exactly.later);
  CHECK(peers(s, 5) == std::vector<int>{0, 1, 2, 3, 4});
  CHECK(s.listener.young_count() == 0);

  // Those that only end count, too.
  s.listener.set(tunable::synack_retries, 0);
  const auto ended = s.listener.tick(at(3), s.out, 4);
  CHECK(ended.forgotten == 4);
  CHECK(ended.resent == 0);
  CHECK(ended.later);
  CHECK(s.listener.request_count() == 1);
}

// A hand that goes on to the next bucket, and finds the rest only when it comes round again.
TEST_CASE("a hand that has had its timers stays where it is") {
  script<preset::linux_3_12> bounded{16}, whole{16};
  for (int i = 0; i < 20; ++i) bounded.syn(i), whole.syn(i);
  while (bounded.listener.young_count() > 0) {
    const instant due = *whole.listener.next_deadline();
    REQUIRE(bounded.listener.next_deadline() == due);
    whole.tick(due);
    tick_summary part;
    do {
      part = bounded.listener.tick(due, bounded.out, 1);
      CHECK(part.timers <= 1);
    } while (part.later);
    CHECK(bounded.listener.young_count() == whole.listener.young_count());
  }
  CHECK(bounded.listener.counters().timeouts == whole.listener.counters().timeouts);
}

// What was left of a visit that nobody waits for any more would cut the next one short: its last buckets would be late.
TEST_CASE("the hand that starts for a first request makes a whole visit, whatever became of the last one") {
  script<preset::linux_3_12> twin{128}, s{128};
  for (int i = 0; i < 100; ++i) twin.syn(i), s.syn(i);
  const instant due = *s.listener.next_deadline();
  const auto found = twin.tick(due).timers;
  REQUIRE(found > 1);
  REQUIRE(s.listener.tick(due, s.out, found - 1).later);
  s.now = due;
  for (int i = 0; i < 100; ++i) s.rst(i);
  REQUIRE(s.listener.request_count() == 0);
  for (int i = 100; i < 200; ++i) s.syn(i);
  const auto until = due + second + second / 2;  // three visits see all buckets, two and a bit do not
  for (int visits = 0; visits < 3; ++visits) {
    REQUIRE(*s.listener.next_deadline() <= until);
    s.tick(*s.listener.next_deadline());
  }
  CHECK(s.listener.young_count() == 0);
}

// --- pressure
// -------------------------------------------------------------------------------------------------------------

// golden/synack.json, "press_b16_n12" and its neighbours: until 2 Q > max(8, N) does not hold any more.
TEST_CASE("6.18 under pressure: how many of n requests are left after 8 s") {
  struct row {
    int backlog, requests;
    std::uint32_t left;
  };
  for (const row& r :
       {row{16, 8, 8}, {16, 9, 8}, {16, 12, 8}, {16, 17, 8}, {1, 2, 2}, {4, 4, 4}, {4, 5, 4}, {64, 60, 32}}) {
    CAPTURE(r.backlog);
    CAPTURE(r.requests);
    script<modern> s{r.backlog};
    s.listener.set(tunable::syncookies, 0);
    for (int i = 0; i < r.requests; ++i) s.now = at(0.002 * i), s.syn(i);
    s.run_until(at(6.9));
    CHECK(s.listener.request_count() == static_cast<std::uint32_t>(r.requests));
    s.run_until(at(8));
    CHECK(s.listener.request_count() == r.left);
    s.run_until(at(62));
    CHECK(s.listener.request_count() == r.left);
    s.run_until(at(64));
    CHECK(s.listener.request_count() == 0);
  }
}

// kernels.md 3.2: 7 s on 3.12 and 21 s on 2.6.32, plus the hand's lag; the threshold is taken once for a visit.
TEST_CASE("old Linux under pressure: a full table of old requests dies after three timeouts") {
  script<preset::linux_3_12> s{1};
  for (int i = 0; i < 16; ++i) REQUIRE(s.syn(i) == verdict::admitted);
  REQUIRE(s.syn(16) == verdict::cookie_sent);
  s.run_until(at(6.9));
  CHECK(s.listener.request_count() == 16);
  s.run_until(at(10));
  CHECK(s.listener.request_count() < 8);
  script<preset::linux_2_6_32> o{1};
  for (int i = 0; i < 16; ++i) REQUIRE(o.syn(i) == verdict::admitted);
  o.run_until(at(20.9));
  CHECK(o.listener.request_count() == 16);
  o.run_until(at(28));
  CHECK(o.listener.request_count() < 8);
}

TEST_CASE("half empty, or without pressure, everybody lives the whole schedule") {
  script<preset::linux_3_12> s{1};
  for (int i = 0; i < 7; ++i) s.syn(i);
  s.run_until(at(62));
  CHECK(s.listener.request_count() == 7);
  script<with<preset::linux_3_12, pressure<no_pressure>>> n{1};
  for (int i = 0; i < 16; ++i) n.syn(i);
  n.run_until(at(62));
  CHECK(n.listener.request_count() == 16);
}

// --- the hand
// ---------------------------------------------------------------------------------------------------------------

// kernels.md 3.2: first visit one timeout after the queue stops being empty, then every 200 ms, none while it is empty.
TEST_CASE("the hand starts one timeout after the first request, goes on every 200 ms, stops when nobody waits") {
  script<preset::linux_2_6_32> s{1};
  CHECK_FALSE(s.listener.next_deadline());
  s.now = at(5);
  s.syn(0);
  CHECK(s.listener.next_deadline() == at(8));
  s.now = at(6);
  s.syn(1);
  CHECK(s.listener.next_deadline() == at(8));
  CHECK(s.tick(at(7.9)).timers == 0);
  s.tick(at(8));
  CHECK(s.listener.next_deadline() == at(8.2));
  s.rst(0), s.rst(1);
  CHECK_FALSE(s.listener.next_deadline());
  s.now = at(20);
  s.syn(2);
  CHECK(s.listener.next_deadline() == at(23));
}

// kernels.md 6, invariant 23: visited within ceil(buckets / budget) visits, never early, no un-expired one touched.
TEST_CASE("a request is handled in the visit that reaches its bucket: 0 to 7 visits late on 2.6.32, 0 to 2 on 3.12") {
  const auto latest = []<class L>(script<L> s, instant timeout) {
    instant most = 0;
    std::vector<bool> seen(8);
    for (int i = 0; i < 16; ++i) s.syn(i);
    while (s.listener.young_count() > 0) {
      const instant due = *s.listener.next_deadline();
      const std::uint32_t young = s.listener.young_count();
      s.tick(due);
      if (s.listener.young_count() == young) continue;
      CHECK(due >= timeout);
      CHECK((due - timeout) % (200 * millisecond) == 0);
      most = due - timeout;
      seen[static_cast<std::size_t>(most / (200 * millisecond))] = true;
    }
    return most;
  };
  CHECK(latest(script<preset::linux_2_6_32>{1}, at(3)) <= 7 * 200 * millisecond);
  CHECK(latest(script<preset::linux_2_6_32>{1}, at(3)) > 3 * 200 * millisecond);
  CHECK(latest(script<preset::linux_3_12>{1}, at(1)) <= 2 * 200 * millisecond);
  CHECK(latest(script<preset::linux_3_12>{1}, at(1)) > 0);
}

namespace {

// Everybody in one bucket, so that one visit sees all of them.
struct one_bucket {
  static std::uint64_t hash(const std::uint32_t*, std::size_t) { return 0; }
};

}  // namespace

// kernels.md 3.2: "thresh is computed once per sweep from the values at its start". Asked anew for each, the first
// death would save the other seven.
TEST_CASE("a visit of the hand takes its threshold once, at its start") {
  script<with<preset::linux_3_12, hashing<one_bucket>>> s{1};
  for (int i = 0; i < 8; ++i) s.syn(i);
  while (s.listener.request_count() == 8) s.tick(*s.listener.next_deadline());
  CHECK(s.listener.request_count() == 0);
  CHECK(s.now >= at(7));
  CHECK(s.now < at(9));
}

// The place is kept between visits and while the queue is empty; starting at bucket 0 each time would starve the rest.
TEST_CASE("the hand keeps its place") {
  using l = with<preset::linux_2_6_32, pressure<no_pressure>>;
  script<l> s{1};
  s.syn(0);
  const auto first_lag = [&](int peer) {
    const instant start = s.now;
    while (s.request(peer).timeouts == 0) s.tick(*s.listener.next_deadline());
    return (s.now - start - at(3)) / (200 * millisecond);
  };
  const auto a = first_lag(0);
  s.rst(0);
  s.now += at(1);
  s.syn(0);  // the same peer, the same bucket: the hand stands right behind it, so it comes last
  const auto b = first_lag(0);
  CHECK(b == 7);
  CHECK(a <= 7);
  s.rst(0);
  s.now += at(1);
  s.syn(0);
  CHECK(first_lag(0) == 7);
}

// A visit that comes late is one visit, not the sum of those that were missed.
TEST_CASE("a late visit of the hand handles its buckets once") {
  script<with<preset::linux_2_6_32, pressure<no_pressure>>> s{1};
  for (int i = 0; i < 16; ++i) s.syn(i);
  const tick_summary sum = s.tick(at(30));
  CHECK(sum.timers < 16);  // two of sixteen buckets
  CHECK(s.listener.next_deadline() == at(30.2));
}

// --- deferral
// ---------------------------------------------------------------------------------------------------------------

namespace {

// golden/synack.json, "defer*": SYN-ACK times after the first, and the moment the request ends or is promoted.
struct deferred_life {
  std::vector<instant> synacks{};
  std::vector<verdict> answers{};
  instant end = 0;
  counter_values counters{};
};
deferred_life defer(std::uint32_t seconds, const std::vector<double>& acks, double data = 0) {
  script<modern> s{16};
  s.listener.set(tunable::defer_accept, seconds);
  s.syn(0);
  deferred_life l;
  const auto run = [&](instant until) {
    for (auto due = s.listener.next_deadline(); due && *due <= until; due = s.listener.next_deadline()) {
      const std::size_t before = s.out.count;
      s.tick(*due);
      if (s.out.count > before) l.synacks.push_back(s.now);
      if (s.listener.request_count() == 0) l.end = s.now;
    }
    s.now = until;
  };
  for (const double t : acks) run(at(t)), l.answers.push_back(s.ack(0));
  if (data > 0) run(at(data)), l.answers.push_back(s.data(0));
  run(at(200));
  l.counters = s.listener.counters();
  return l;
}

}  // namespace

TEST_CASE("TCP_DEFER_ACCEPT as recorded: when SYN-ACKs leave after one bare ACK") {
  CHECK(defer(3, {0.056}).synacks == std::vector<instant>{at(3), at(7), at(15), at(31)});
  CHECK(defer(5, {0.053}).synacks == std::vector<instant>{at(7), at(15), at(31)});
  CHECK(defer(15, {0.053}).synacks == std::vector<instant>{at(15), at(31)});
  CHECK(defer(30, {0.059}).synacks == std::vector<instant>{at(31)});
  for (const std::uint32_t d : {3U, 5U, 15U, 30U}) {
    CHECK(defer(d, {0.05}).end == at(63));
    CHECK(defer(d, {0.05}).counters.timeouts == 6);
    CHECK(defer(d, {0.05}).counters.defer_accept_drop == 1);
  }
}

TEST_CASE("TCP_DEFER_ACCEPT as recorded: which ACK finishes the handshake") {
  using v = std::vector<verdict>;
  const deferred_life three = defer(3, {0.054, 2.5, 6.006});
  CHECK(three.answers == v{verdict::deferred, verdict::deferred, verdict::promoted});
  CHECK(three.synacks == std::vector<instant>{at(3)});
  CHECK(three.counters.passive_opens == 1);
  const deferred_life five = defer(5, {0.056, 1.059, 3.105, 7.0, 15.109});
  CHECK(five.answers == v{verdict::deferred, verdict::deferred, verdict::deferred, verdict::promoted, verdict::stray});
  const deferred_life data = defer(30, {0.052}, 2.003);
  CHECK(data.answers == v{verdict::deferred, verdict::promoted});
  CHECK(data.synacks.empty());
  CHECK(data.counters.timeouts == 1);
}
