// SPDX-License-Identifier: BSL-1.0
// compact.hpp: listeners with compact requests, whole. Where all times are multiples of a tick, such a listener does to
// the bit what it does with requests as they are; its bursts do what its segments do one by one; and whatever looks at
// a listener can look at this one. The layout itself is in queue/compact_requests.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <listenq/compact.hpp>
#include <listenq/describe.hpp>
#include <listenq/group.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/freebsd_4.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <listenq/preset/netbsd.hpp>
#include <listenq/testing/explore.hpp>
#include <listenq/testing/invariants.hpp>
#include <listenq/testing/sharded.hpp>
#include <listenq/testing/simulation.hpp>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "random_peers.hpp"
#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::script;
using test::tuple;

namespace {

constexpr duration tick = detail::compact_layout<ipv4>::tick;
constexpr instant rounded(instant at) { return detail::compact_layout<ipv4>::rounded(at); }

struct tape {
  std::vector<segment> sent{};
  std::vector<handshake> children{};
  std::vector<four_tuple> handed_back{};
  send_result answer = send_result::sent;
  send_result send(const segment& s) {
    if (answer == send_result::sent) sent.push_back(s);
    return answer;
  }
  bool make_child(const handshake& h, const segment&) {
    children.push_back(h);
    return true;
  }
  void reset_child(const four_tuple& key) { handed_back.push_back(key); }
};

bool same(const tape& a, const tape& b) {
  return a.children == b.children && a.handed_back == b.handed_back &&
         std::equal(a.sent.begin(), a.sent.end(), b.sent.begin(), b.sent.end(),
                    [](const segment& x, const segment& y) { return all_of(x) == all_of(y); });
}

/// What both layouts keep of a request.
auto kept(const request<ipv4>& r) {
  return std::tuple{r.key.peer_port,
                    r.irs,
                    r.iss,
                    r.ts_recent,
                    r.peer_mss,
                    r.send_scale,
                    r.timeouts,
                    r.deadline,
                    bool{r.window_scaling},
                    bool{r.sack},
                    bool{r.ecn},
                    bool{r.timestamps},
                    bool{r.acked},
                    bool{r.unreachable}};
}
template <class L>
auto all_kept(const L& l) {
  std::vector<decltype(kept(request<ipv4>{}))> all;
  l.for_each_request([&all](const request<ipv4>& r) { all.push_back(kept(r)); });
  std::sort(all.begin(), all.end());
  return all;
}

template <class A, class B>
void check_same(const A& a, const B& b) {
  CHECK(a.listening() == b.listening());
  CHECK(a.request_count() == b.request_count());
  CHECK(a.young_count() == b.young_count());
  CHECK(a.accept_count() == b.accept_count());
  CHECK(a.next_deadline() == b.next_deadline());
  CHECK(all_kept(a) == all_kept(b));
  if constexpr (requires { a.counters() == b.counters(); }) CHECK(a.counters() == b.counters());
  testing::expectations e;
  e.exact_deadlines = !policy_of<A, slot::clockwork>::sweeps;
  e.cookies_hide_requests = true;  // its peers come again while their connection waits
  testing::for_each_violation(
      a, [](testing::invariant i) { FAIL_CHECK(std::string{testing::about(i).name}); }, e);
}

/// A random life: `a` gets its segments in bursts, `b` one by one. `unit`: all times are multiples of it.
template <class A, class B>
void side_by_side(std::uint64_t seed, duration unit) {
  auto a = std::make_unique<A>(siphash<2, 4>{{7, 8}});
  auto b = std::make_unique<B>(siphash<2, 4>{{7, 8}});
  random_peers peers{seed};
  int backlog = static_cast<int>(seed % 9);
  instant now = 0;
  REQUIRE(a->listen(backlog));
  REQUIRE(b->listen(backlog));
  for (const tunable t : {tunable::defer_accept, tunable::abort_on_overflow}) {
    const std::uint32_t v = seed % 3 == 0 ? 3 : 0;
    a->set(t, v), b->set(t, v);
  }
  for (int i = 0; i < 60; ++i) {
    now += unit * peers.up_to(static_cast<std::uint32_t>(600 * millisecond / unit));
    std::vector<segment> burst(peers.up_to(20));
    for (segment& s : burst) s = peers.next(now);
    tape x, y;
    x.answer = y.answer = peers.up_to(9) == 0 ? send_result::failed : send_result::sent;
    std::vector<outcome> of_a, of_b;
    a->receive(burst, now, x, [&](const segment&, const outcome& o) { of_a.push_back(o); });
    for (const segment& s : burst) of_b.push_back(b->receive(s, now, y));
    CHECK(of_a == of_b);
    const std::uint32_t most = peers.up_to(3) == 0 ? 1 : 0xffffffffU;
    const tick_summary t = a->tick(now, x, most), u = b->tick(now, y, most);
    CHECK(t.timers == u.timers);
    CHECK(t.later == u.later);
    while (peers.up_to(2) == 0) CHECK(a->accept(now).status == b->accept(now).status);
    if (!burst.empty() && peers.up_to(1) == 0) {  // an error about a SYN-ACK
      const four_tuple key = four_tuple_of(burst[0]);
      const auto r = a->find_request(key);
      const seq_number seq = r ? r->iss : 0;
      CHECK(a->unreachable(key, seq, now) == b->unreachable(key, seq, now));
    }
    if (peers.up_to(7) == 0) {  // more room, over more buckets
      backlog += static_cast<int>(peers.up_to(9));
      CHECK(a->listen(backlog, now).status == b->listen(backlog, now).status);
    }
    if (const std::uint32_t end = peers.up_to(30); end < 2) {
      if (end == 0) {
        a->close(x, now), b->close(y, now);
      } else {
        a->shutdown(shutdown_how::both, x, now), b->shutdown(shutdown_how::both, y, now);
      }
      if (peers.up_to(1) == 0) a->receive(burst, now, x), b->receive(burst, now, y);
      a->listen(backlog, now), b->listen(backlog, now);
    }
    if (peers.up_to(9) == 0) a = std::make_unique<A>(std::as_const(*a));
    CHECK(same(x, y));
    check_same(*a, *b);
    for (const segment& s : x.sent) peers.hear(s);
  }
}

/// All of whose timers run in whole ticks.
using even_schedule = schedule<doubling<250 * tick, 4, 2000 * tick>>;
using even = with<compact_listener, even_schedule, clockwork<sweep<5 * tick>>>;
using even_timers = with<compact_listener, even_schedule, clockwork<exact<>>>;

template <class L>
void as_with_requests_as_they_are(std::uint64_t seeds = 12) {
  static_assert(L::bytes_per_request < with<L, requests<own_requests>>::bytes_per_request);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    side_by_side<L, with<L, requests<own_requests>>>(seed, tick);
  }
}

}  // namespace

// --- beside the same listener without them

// A field that is not kept, a deadline that is compared as it is stored, a change that reaches a neighbour.
TEST_CASE("in whole ticks compact requests make no difference: with a sweep, with timers") {
  as_with_requests_as_they_are<even>();
  as_with_requests_as_they_are<even_timers>();
  as_with_requests_as_they_are<with<even_timers, clockwork<exact<tie_order::newest_first>>>>();
}

TEST_CASE("nor where the oldest goes and is told, and the others are reset at close") {
  as_with_requests_as_they_are<with<even_timers, request_full<told<evict_oldest>>, cookies<no_cookies>,
                                    closing<abort_requests>, sizing<pipeline<exactly<5>>>>>();
  as_with_requests_as_they_are<with<even, request_full<evict_random>, cookies<no_cookies>, closing<forget_requests>,
                                    sizing<pipeline<exactly<5>>>>>();
  as_with_requests_as_they_are<with<even_timers, request_full<evict_most_retried>, cookies<no_cookies>,
                                    sizing<pipeline<exactly<5>>>, closing<outlive_listener>>>();
}

TEST_CASE("nor where a bare ACK is not enough, and where a failure to send is the end") {
  as_with_requests_as_they_are<with<even, deferral<defer_accept<>>, send_failure<fatal>>>();
  as_with_requests_as_they_are<with<even_timers, deferral<await_data>, send_failure<fatal_at_first>>>();
}

// There a second SYN takes options back, restarts the timers, and may end the request, all in one call.
TEST_CASE("nor under the rules of BSD, whose errors are noted and whose requests are in buckets") {
  as_with_requests_as_they_are<
      with<preset::freebsd_4, even_schedule, requests<compact_requests>, child<handles<>>, sizing<syncache<4, 3>>>>();
  as_with_requests_as_they_are<with<preset::netbsd, even_schedule, requests<compact_requests>, child<handles<>>,
                                    sizing<syncache<3, 3, 7>>, request_full<evict_from_here_on>>>();
}

TEST_CASE("nor under the rules of Linux 3.12, with cookies and a full accept queue") {
  as_with_requests_as_they_are<
      with<preset::linux_3_12, even_schedule, clockwork<sweep<50 * tick>>, requests<compact_requests>>>();
}

// --- bursts

// A look ahead at a cell of another size, or at the copy of a request from before the burst.
TEST_CASE("a burst has the outcomes, answers and state of its segments one by one, at any time") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    side_by_side<compact_listener, compact_listener>(seed, microsecond);
    side_by_side<with<compact_listener, clockwork<exact<>>>, with<compact_listener, clockwork<exact<>>>>(seed,
                                                                                                         microsecond);
  }
}

namespace {

/// So many peers: SYNs, some of them once more, wrong ACKs, and the ACKs, in another order; in bursts of 70 and one by
/// one.
template <class L>
void crowd(std::uint32_t peers) {
  auto bursts = std::make_unique<L>(siphash<2, 4>{{7, 8}});
  auto singles = std::make_unique<L>(siphash<2, 4>{{7, 8}});
  for (L* l : {bursts.get(), singles.get()}) {
    l->set(tunable::somaxconn, peers);
    REQUIRE(l->listen(static_cast<int>(peers)));
  }
  const auto play = [&](const std::vector<segment>& all, instant now, verdict expected) {
    tape a, b;
    std::size_t as_expected = 0;
    for (std::size_t from = 0; from < all.size(); from += 70) {
      const std::vector<segment> burst(all.begin() + static_cast<std::ptrdiff_t>(from),
                                       all.begin() + static_cast<std::ptrdiff_t>(std::min(from + 70, all.size())));
      bursts->receive(burst, now, a, [&](const segment&, const outcome& o) { as_expected += o.verdict == expected; });
    }
    for (const segment& s : all) singles->receive(s, now, b);
    CHECK(as_expected == all.size());
    CHECK(same(a, b));
    return a.sent;
  };
  std::vector<segment> syns;
  for (std::uint32_t i = 0; i < peers; ++i) {
    syns.push_back({.source = {ip(10, 0, 1, static_cast<std::uint8_t>(i >> 16)), static_cast<std::uint16_t>(i)},
                    .destination = {ip(10, 0, 0, 2), 80},
                    .seq = 7 * i,
                    .flags = flag::syn,
                    .options = {.mss = static_cast<std::uint16_t>(1000 + i % 400), .sack_permitted = i % 2 == 0}});
  }
  const std::vector<segment> answers = play(syns, second, verdict::admitted);
  REQUIRE(answers.size() == peers);
  CHECK(bursts->request_count() == peers);
  std::vector<segment> again;
  for (std::size_t i = 0; i < syns.size(); i += 3) again.push_back(syns[i]);
  play(again, second + 300 * millisecond, verdict::duplicate_syn);
  std::vector<segment> acks;
  for (const segment& s : answers) {
    acks.push_back(
        {.source = s.destination, .destination = s.source, .seq = s.ack, .ack = s.seq + 1, .flags = flag::ack});
  }
  std::vector<segment> wrong;
  for (std::size_t i = 0; i < acks.size(); i += 5) {
    wrong.push_back(acks[i]);
    ++wrong.back().ack;
  }
  play(wrong, second + 350 * millisecond, verdict::wrong_ack);
  check_same(*bursts, *singles);
  const auto turn = [](const segment& s) { return s.source.port % 7 * 10'000 + s.source.port; };
  std::sort(acks.begin(), acks.end(), [&](const segment& x, const segment& y) { return turn(x) < turn(y); });
  const std::vector<segment> half(acks.begin(), acks.begin() + static_cast<std::ptrdiff_t>(acks.size() / 2));
  play(half, second + 400 * millisecond, verdict::promoted);
  CHECK(bursts->accept_count() == half.size());
  tape a, b;  // the others have a timeout
  bursts->tick(4 * second, a), singles->tick(4 * second, b);
  CHECK(same(a, b));
  CHECK(bursts->request_count() == peers - half.size());
  CHECK(bursts->next_deadline() == singles->next_deadline());
  CHECK(all_kept(*bursts) == all_kept(*singles));
}

}  // namespace

TEST_CASE("a crowd whose requests outgrow the first cache finishes in bursts as it would one by one") {
  crowd<compact_listener>(2500);
  crowd<with<compact_listener, clockwork<exact<>>>>(2500);
}

// 4 MiB of requests: other steps ahead.
TEST_CASE("and one whose requests outgrow the second cache") {
  constexpr std::uint32_t peers = 110'000;
  static_assert(peers * compact_listener::bytes_per_request > 1U << 22);
  crowd<compact_listener>(peers);
}

// --- what happens to a request

namespace {

using with_timers = with<compact_listener, clockwork<exact<>>, cookies<no_cookies>>;

tcp_options stamped(std::uint32_t value, std::uint32_t echo = 0) {
  tcp_options o;
  o.timestamps = true;
  o.ts_value = value;
  o.ts_echo = echo;
  return o;
}

}  // namespace

// The timer that a second SYN has restarted runs on from the first one, or the copy's deadline goes back over it.
TEST_CASE("a duplicate SYN is answered at once and restarts the timer, rounded up to a tick") {
  script<with_timers> s{4};
  s.now = 5;
  s.syn(0, {.mss = 1000, .sack_permitted = true});
  CHECK(s.request(0).deadline == rounded(5 + second));
  CHECK(s.listener.next_deadline() == rounded(5 + second));
  s.now = at(0.7);
  CHECK(s.syn(0) == verdict::duplicate_syn);
  CHECK(s.out.count == 2);
  CHECK(all_of(s.out[0]) == all_of(s.out[1]));
  CHECK(s.request(0).deadline == rounded(at(1.7)));
  CHECK(s.request(0).peer_mss == 1000);
  CHECK(s.tick(rounded(at(1.7)) - 1).timers == 0);
  CHECK(s.tick(rounded(at(1.7))).resent == 1);
  CHECK(s.request(0).timeouts == 1);
  CHECK(s.request(0).deadline == rounded(rounded(at(1.7)) + 2 * second));
  CHECK(all_of(s.out[2]) == all_of(s.out[0]));
}

// A hand that sets out while its first request is not yet due.
TEST_CASE("a hand starts at the deadline of the first request as that is kept") {
  script<compact_listener> s{0};
  s.now = 5;
  s.syn(0);
  CHECK(s.listener.next_deadline() == s.request(0).deadline);
  CHECK(s.request(0).deadline == rounded(5 + second));
}

// FreeBSD, syncache_add: all in one call.
TEST_CASE("under FreeBSD's rules a later SYN takes timestamps back and makes its request young again") {
  script<with<with_timers, validation<freebsd_validation>>> s{4};
  s.syn(0, stamped(7)), s.syn(1);
  s.tick(rounded(second));
  CHECK(s.listener.young_count() == 0);
  CHECK(s.syn(0, stamped(9)) == verdict::duplicate_syn);
  CHECK(s.out.last().options.ts_echo == 9);
  CHECK(s.request(0).ts_recent == 9);
  CHECK(s.request(0).timeouts == 0);
  CHECK(s.listener.young_count() == 1);
  CHECK(s.syn(0) == verdict::duplicate_syn);
  CHECK_FALSE(s.out.last().options.timestamps);
  CHECK_FALSE(s.request(0).timestamps);
  s.out.answer = send_result::failed;
  CHECK(s.syn(0) == verdict::duplicate_unsent);
  CHECK(s.listener.request_count() == 1);
  CHECK_FALSE(s.waits(0));
}

TEST_CASE("wrong ACKs and segments out of the window are answered and change nothing") {
  script<compact_listener> s{4};
  s.syn(0, {.mss = 1200, .window_scale = 3, .sack_permitted = true});
  const auto before = kept(s.request(0));
  CHECK(s.send(0, {.flags = flag::ack, .seq = 1, .ack = 2}) == verdict::wrong_ack);
  CHECK(s.out.last().flags == flag::rst);
  CHECK(s.send(0, {.flags = flag::ack, .seq = 100'000, .ack = 1}) == verdict::out_of_window);
  CHECK(s.out.last().flags == flag::ack);
  CHECK(s.send(0, {.flags = flag::none, .seq = 1}) == verdict::no_ack);
  CHECK(kept(s.request(0)) == before);
  CHECK(s.ack(0) == verdict::promoted);
}

// Linux up to 3.12 remembers the timestamp of an ACK that cannot finish.
TEST_CASE("an ACK without room is remembered with its timestamp, and the next one finishes") {
  script<with<compact_listener, accept_full_at_syn<admit>>> s{1};
  REQUIRE(s.connect(1, 2) == 2);
  s.syn(0, stamped(100));
  const auto ack = [&](std::uint32_t value) {
    return s.send(0, {.flags = flag::ack, .seq = 1, .ack = 1, .options = stamped(value, 0)});
  };
  CHECK(ack(105) == verdict::overflow_kept);
  CHECK(s.request(0).acked);
  CHECK(s.request(0).ts_recent == 105);
  CHECK(ack(104) == verdict::out_of_window);  // older than that
  CHECK(s.request(0).ts_recent == 105);
  CHECK(s.listener.accept());
  CHECK(ack(106) == verdict::promoted);
  CHECK(s.listener.request_count() == 0);
}

// An echo of nothing that was ever sent: a request that keeps no timestamps would call each of them wrong.
TEST_CASE("any echo is believed, from a peer with timestamps and at any time") {
  for (const std::uint32_t echo : {0U, 1U, 0x7fffffffU, 0xffffffffU}) {
    script<compact_listener> s{4};
    s.syn(0, stamped(100));
    s.now = at(0.9);
    CHECK(s.send(0, {.flags = flag::ack, .seq = 1, .ack = 1, .options = stamped(101, echo)}) == verdict::promoted);
  }
}

TEST_CASE("what comes again and again is answered each time") {
  script<compact_listener> s{4};
  s.syn(0);
  for (std::size_t i = 2; i < 50; ++i) {
    s.now += millisecond;
    CHECK(s.syn(0) == verdict::duplicate_syn);
    CHECK(s.out.count == i);
    CHECK_FALSE(s.last.stages.has(stage::rate_limited));
  }
}

TEST_CASE("requests that are aborted at close get a RST with their own numbers") {
  script<with<compact_listener, closing<abort_requests>>> s{8};
  for (int peer = 0; peer < 5; ++peer) s.syn(peer);
  std::vector<std::pair<std::uint16_t, seq_number>> due, came;
  for (int peer = 0; peer < 5; ++peer) due.emplace_back(tuple(peer).peer_port, s.iss(peer) + 1);
  const std::size_t before = s.out.count;
  CHECK(s.listener.close(s.out, s.now).requests == 5);
  for (std::size_t i = before; i < s.out.count; ++i) {
    CHECK(s.out[i].flags == (flag::rst | flag::ack));
    CHECK(s.out[i].ack == test::C + 1);
    came.emplace_back(s.out[i].destination.port, s.out[i].seq);
  }
  std::sort(came.begin(), came.end());
  CHECK(came == due);
  CHECK(s.listener.request_count() == 0);
}

TEST_CASE("the oldest request goes, its peer is told, and the newcomer has nothing of it") {
  script<with<compact_listener, request_full<told<evict_oldest>>, cookies<no_cookies>, sizing<pipeline<exactly<2>>>>> s{
      8};
  s.syn(0, stamped(9)), s.syn(1);
  const seq_number iss = s.iss(0);
  CHECK(s.syn(2, {.mss = 700}) == verdict::admitted);
  CHECK(s.last.stages.has(stage::evicted_reset));
  CHECK_FALSE(s.waits(0));
  CHECK(s.waits(1));
  CHECK(s.out[2].flags == (flag::rst | flag::ack));
  CHECK(s.out[2].seq == iss + 1);
  CHECK(s.out[2].destination.port == tuple(0).peer_port);
  CHECK(s.request(2).peer_mss == 700);
  CHECK_FALSE(s.request(2).timestamps);
}

TEST_CASE("a bare ACK that is not enough is remembered until the last period, on its timer and in its request") {
  script<with<with_timers, deferral<defer_accept<>>>> s{4};
  s.listener.set(tunable::defer_accept, 3);  // two periods
  s.syn(0), s.syn(1);
  CHECK(s.ack(0) == verdict::deferred);
  CHECK(s.request(0).acked);
  CHECK_FALSE(s.request(1).acked);
  const std::size_t sent = s.out.count;
  s.tick(rounded(second));
  CHECK(s.request(0).timeouts == 1);
  CHECK(s.request(0).acked);
  CHECK(s.out.count == sent + 1);  // to the other one
  s.run_until(at(3.2));
  CHECK(s.out.count == sent + 3);  // to both
  CHECK(s.ack(0) == verdict::promoted);
  CHECK(s.data(1) == verdict::promoted);
}

// The bit that it is kept in beside the deadline: a timer that moves clears it, or whoever gets the cell inherits it.
TEST_CASE("an ICMP error is noted and stays noted through timeouts, and it is nobody else's") {
  script<with<with_timers, icmp<second_error_after<2>>>> s{4};
  s.syn(0);
  CHECK(s.listener.unreachable(tuple(0), s.iss(0) + 1, 0) == icmp_verdict::wrong_number);
  CHECK_FALSE(s.request(0).unreachable);
  CHECK(s.listener.unreachable(tuple(0), s.iss(0), 0) == icmp_verdict::noted);
  CHECK(s.request(0).unreachable);
  CHECK(s.listener.unreachable(tuple(0), s.iss(0), 0) == icmp_verdict::noted);  // too early to end it
  s.run_until(4 * second);
  CHECK(s.request(0).timeouts == 2);
  CHECK(s.request(0).unreachable);
  CHECK(s.syn(0) == verdict::duplicate_syn);
  CHECK(s.listener.unreachable(tuple(0), s.iss(0), s.now) == icmp_verdict::ended);
  CHECK_FALSE(s.waits(0));
  CHECK(s.syn(5) == verdict::admitted);
  CHECK_FALSE(s.request(5).unreachable);
}

// --- its life

TEST_CASE("requests are there after listen() with more room, after shutdown and listen(), and in a copy") {
  script<compact_listener> s{8};
  for (int peer = 0; peer < 8; ++peer) s.syn(peer, {.mss = static_cast<std::uint16_t>(600 + peer)});
  const auto before = all_kept(s.listener);
  REQUIRE(before.size() == 8);
  REQUIRE(s.listener.listen(500));
  CHECK(all_kept(s.listener) == before);
  for (int peer = 0; peer < 8; ++peer) CHECK(s.request(peer).peer_mss == 600 + peer);
  for (int peer = 8; peer < 300; ++peer) CHECK(s.syn(peer) == verdict::admitted);

  compact_listener copy = s.listener;
  s.listener.shutdown(shutdown_how::both, s.out, s.now);
  CHECK(s.syn(400) == verdict::not_listening);
  REQUIRE(s.listener.listen(500));
  CHECK(s.listener.request_count() == 300);
  CHECK(s.ack(7) == verdict::promoted);
  CHECK(s.ack(200) == verdict::promoted);
  CHECK_FALSE(s.waits(7));
  CHECK(copy.request_count() == 300);  // its memory is its own
  CHECK(copy.find_request(tuple(7))->peer_mss == 607);
}

// A request that goes to a sibling takes its own copy's deadline, or its age, along in another listener's terms.
TEST_CASE("a group hands compact requests over with what they are: their options, age and deadline") {
  using member = with<compact_listener, cookies<no_cookies>>;
  for (const bool swept : {true, false}) {
    const auto migrates = [&]<class L>(std::type_identity<L>) {
      std::array<L, 2> members;
      group<L, 2> g;
      REQUIRE(g.migrate(true));
      for (L& l : members) REQUIRE(g.join(l, 100, 0) == join_status::ok);
      tape out;
      for (int peer = 0; peer < 40; ++peer) {
        segment s{.source = tuple(peer).peer(), .destination = tuple(peer).local(), .seq = 9, .flags = flag::syn};
        s.options.mss = static_cast<std::uint16_t>(600 + peer);
        CHECK(g.receive(s, 0, out).verdict == verdict::admitted);
      }
      for (instant now = 0; now < at(2.5); now += 10 * millisecond) g.tick(now, out);
      const std::uint32_t moving = members[0].request_count();
      REQUIRE(moving > 5);
      std::vector<decltype(kept(request<ipv4>{}))> due;
      for (const L& l : members) {
        const auto all = all_kept(l);
        due.insert(due.end(), all.begin(), all.end());
      }
      std::sort(due.begin(), due.end());
      g.leave(members[0], out, at(2.5));
      REQUIRE(g.join(members[0], 100, at(2.5)) == join_status::ok);  // now they go
      CHECK(g.counters().migrate_req_success == moving);
      CHECK(all_kept(members[1]) == due);
      CHECK(members[1].young_count() == 0);
      for (int peer = 0; peer < 40; ++peer) {
        const auto r = members[1].find_request(tuple(peer));
        REQUIRE(r);
        const segment ack{.source = tuple(peer).peer(),
                          .destination = tuple(peer).local(),
                          .seq = 10,
                          .ack = r->iss + 1,
                          .flags = flag::ack};
        CHECK(g.receive(ack, at(2.6), out).verdict == verdict::promoted);
        CHECK(out.children.back().peer_mss == 600 + peer);
      }
      CHECK(g.request_count() == 0);
    };
    if (swept) {
      migrates(std::type_identity<member>{});
    } else {
      migrates(std::type_identity<with<member, clockwork<exact<>>>>{});
    }
  }
}

// --- what looks at it

TEST_CASE("describe names compact requests and their bytes, and only their line differs from that of the others") {
  const std::string text = describe<compact_listener>();
  const std::string line = "requests            compact_requests\n";
  REQUIRE(text.find(line) != std::string::npos);
  CHECK(text.find("bytes per request   40\n") != std::string::npos);
  std::string whole = describe<with<compact_listener, requests<own_requests>>>();
  CHECK(whole.find("requests            own_requests   (default)\n") != std::string::npos);
  CHECK(whole.find("bytes per request   56\n") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == std::count(whole.begin(), whole.end(), '\n'));
}

// They are fewer states, because a request does not remember how often it was answered.
TEST_CASE("every interleaving of a small world keeps the invariants, and the same clients end stranded as without") {
  using small = with<even_timers, isn<fixed_isn<5000>>>;
  testing::explore_options o;
  o.world = {.clients = 2, .losses = 1, .duplicates = 1, .repeats = 1, .accepts = 1, .closes = 1};
  o.depth = 9;
  const auto is = testing::explore(small{}, o);
  const auto whole = testing::explore(with<small, requests<own_requests>>{}, o);
  CHECK_FALSE(is.broken);
  CHECK(is.states > 1000);
  CHECK(is.states <= whole.states);
  for (std::size_t c = 0; c < 2; ++c) {
    REQUIRE(is.stranded[c].has_value() == whole.stranded[c].has_value());
    if (is.stranded[c]) CHECK(is.stranded[c]->moves.size() == whole.stranded[c]->moves.size());
  }
}

TEST_CASE("large hostile worlds break nothing, with one listener and with four that come and go") {
  std::uint64_t served = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    testing::simulation_options o;
    o.seed = seed;
    o.events = 10'000;
    o.check_every = 512;
    const auto timed = testing::simulate(with_timers{}, o);
    if (timed.broken) FAIL_CHECK(std::string{testing::about(*timed.broken).name});
    o.expected.exact_deadlines = false;
    const auto swept = testing::simulate(compact_listener{}, o);
    if (swept.broken) FAIL_CHECK(std::string{testing::about(*swept.broken).name});
    for (const testing::migration how : {testing::migration::off, testing::migration::switched}) {
      using crowd_of_four = testing::sharded<compact_listener, 4, group<compact_listener, 4>>;
      const auto many = testing::simulate(crowd_of_four{how}, o);
      if (many.broken) FAIL_CHECK(std::string{testing::about(*many.broken).name});
      served += many.served;
    }
  }
  CHECK(served > 500);
}
