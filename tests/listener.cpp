// SPDX-License-Identifier: BSL-1.0
// listener.hpp, detail/on_syn, on_request, on_ack: what becomes of a segment. Every verdict of outcome.hpp is reached
// here. Timers are in listener_timers.cpp; listen, accept, close, tunables and storage in listener_life.cpp.
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
using test::C;
using test::recorder;
using test::script;
using test::tuple;

namespace {

using modern = preset::linux_6_18;
using no_cookies_618 = with<modern, cookies<no_cookies>>;

constexpr flags synack = flag::syn | flag::ack;

struct always_admit {
  static constexpr syn_answer on_request_full(const overflow_facts&) { return syn_answer::admit; }
};
struct no_sack : linux_6_18_offer {
  static constexpr bool sack = false;
  static constexpr bool keyed_clock = false;
};

// Q, Y and A in one comparison.
struct counts {
  std::uint32_t q, y, a;
  friend bool operator==(const counts&, const counts&) = default;
};
template <class L>
counts of(const L& l) {
  return {l.request_count(), l.young_count(), l.accept_count()};
}

}  // namespace

// --- a SYN
// ------------------------------------------------------------------------------------------------------------

TEST_CASE("admitted: a SYN is stored and gets one SYN-ACK with the right numbers") {
  script<modern> s{4};
  CHECK(s.syn(0) == verdict::admitted);
  CHECK(s.out.count == 1);
  CHECK(s.out.last().flags == synack);
  CHECK(s.out.last().ack == C + 1);
  CHECK(s.out.last().seq == s.request(0).iss);
  CHECK(s.out.last().source == tuple(0).local());
  CHECK(s.out.last().destination == tuple(0).peer());
  CHECK(s.last.stages.has(stage::answered));
  CHECK(of(s.listener) == counts{1, 1, 0});
  CHECK(s.request(0).irs == C);
  CHECK(s.request(0).timeouts == 0);
}

TEST_CASE("dropped_request_full, reset_request_full: what request_full says, cookies off") {
  script<no_cookies_618> d{1};
  d.syn(0), d.syn(1);
  CHECK(d.syn(2) == verdict::dropped_request_full);
  CHECK(d.out.count == 2);
  CHECK(of(d.listener) == counts{2, 2, 0});
  CHECK(d.last.stages.has(stage::request_full));

  script<with<no_cookies_618, request_full<reset>>> r{1};
  r.syn(0), r.syn(1);
  CHECK(r.syn(2) == verdict::reset_request_full);
  CHECK(r.out.last().flags == (flag::rst | flag::ack));
  CHECK(r.out.last().seq == 0);
  CHECK(r.out.last().ack == C + 1);
  CHECK(of(r.listener) == counts{2, 2, 0});
}

TEST_CASE("dropped_accept_full, reset_accept_full, or admitted: what accept_full_at_syn says") {
  script<modern> d{1};
  d.connect(0, 1);
  CHECK(d.syn(2) == verdict::dropped_accept_full);
  CHECK(d.last.stages.has(stage::accept_full));
  CHECK(of(d.listener) == counts{0, 0, 2});

  script<with<modern, accept_full_at_syn<reset>>> r{1};
  r.connect(0, 1);
  CHECK(r.syn(2) == verdict::reset_accept_full);
  CHECK(r.out.last().flags == (flag::rst | flag::ack));
  CHECK(r.out.last().ack == C + 1);

  script<with<modern, accept_full_at_syn<admit>>> a{1};
  a.connect(0, 1);
  CHECK(a.syn(2) == verdict::admitted);
  CHECK(a.last.stages.has(stage::accept_full));
}

// The two queue tests exchanged: a cookie instead of a drop, or a drop counted for the wrong queue.
TEST_CASE("both queues full: the request queue is asked first, the accept queue has the last word") {
  script<modern> s{0};
  s.connect(0, 0);
  s.listener.listen(1);
  s.syn(1), s.syn(2);
  s.listener.listen(0);
  CHECK(s.syn(3) == verdict::dropped_accept_full);
  CHECK(s.last.stages.has(stage::request_full));
  CHECK(s.last.stages.has(stage::cookie_wanted));
  CHECK(s.last.stages.has(stage::accept_full));
  s.listener.set(tunable::syncookies, 0);
  CHECK(s.syn(3) == verdict::dropped_request_full);
  CHECK_FALSE(s.last.stages.has(stage::accept_full));
}

// kernels.md 6, invariant 26.
TEST_CASE("the young rule: with the accept queue full a SYN is admitted while at most one request is young") {
  script<preset::linux_3_12> s{1};
  s.connect(0, 1);
  CHECK(s.syn(2) == verdict::admitted);
  CHECK(s.syn(3) == verdict::admitted);
  CHECK(s.syn(4) == verdict::dropped_accept_full);
  CHECK(of(s.listener) == counts{2, 2, 2});
  s.run_until(at(1.5));  // both are old now
  CHECK(s.listener.young_count() == 0);
  CHECK(s.syn(4) == verdict::admitted);
}

TEST_CASE("dropped_last_quarter: an unproven peer, cookies off") {
  script<modern> s{100};
  s.listener.set(tunable::syncookies, 0);
  s.listener.set(tunable::max_syn_backlog, 8);
  for (int i = 0; i < 7; ++i) CHECK(s.syn(i) == verdict::admitted);
  CHECK(s.syn(7) == verdict::dropped_last_quarter);
  s.facts.proven = true;
  CHECK(s.syn(7) == verdict::admitted);
  s.facts = {.isn = 12345};
  CHECK(s.syn(8) == verdict::admitted);
  s.facts = {};
  CHECK(s.syn(9) == verdict::dropped_last_quarter);
  s.listener.set(tunable::syncookies, 1);
  CHECK(s.syn(9) == verdict::admitted);
}

// A full store is the kernel's failed allocation, not a full queue.
TEST_CASE("dropped_no_memory: the rule admits, the storage does not") {
  script<with<no_cookies_618, request_full<always_admit>, storage<fixed<2>>>> s{1};
  s.syn(0), s.syn(1);
  CHECK(s.syn(2) == verdict::dropped_no_memory);
  CHECK(s.out.count == 2);
  CHECK(s.listener.counters().listen_drops == 1);
  CHECK(s.listener.counters().req_q_full_drop == 0);
}

namespace {

// At most `limit` requests for anybody; writes down who left, and why.
struct small_budget {
  std::vector<departure>* gone = nullptr;
  int limit = 2;
  int held = 0;
  template <addressing A>
  bool allows(const basic_four_tuple<A>&) const {
    return held < limit;
  }
  template <addressing A>
  void entered(const basic_four_tuple<A>&) {
    ++held;
  }
  template <addressing A>
  void left(const basic_four_tuple<A>&, departure why) {
    --held;
    if (gone != nullptr) gone->push_back(why);
  }
};
using budget_gates =
    in_order<gates::known_request, gates::request_queue, gates::accept_queue, gates::budget, gates::last_quarter>;
using budgeted = with<modern, cookies<no_cookies>, budget<small_budget>, admission<budget_gates>>;

}  // namespace

TEST_CASE("dropped_over_budget: the budget's gate says no, and a departure makes room") {
  script<budgeted> s{9};
  s.syn(0), s.syn(1);
  CHECK(s.syn(2) == verdict::dropped_over_budget);
  CHECK(s.syn(0) == verdict::duplicate_syn);  // a known request is not asked again
  CHECK(s.ack(0) == verdict::promoted);
  CHECK(s.syn(2) == verdict::admitted);
}

// A request that leaves without a word: the budget would fill up for ever.
TEST_CASE("the budget is told of every departure, and why") {
  std::vector<departure> gone;
  using l = with<budgeted, accept_full_at_ack<abort_if_tuned>, request_full<evict_oldest>, send_failure<fatal>>;
  script<l> s{0, l{small_budget{&gone, 9}}};
  const auto only = [&](departure why) {
    const bool yes = gone == std::vector<departure>{why};
    gone.clear();
    return yes;
  };
  s.syn(0), s.rst(0);
  CHECK(only(departure::reset));
  s.syn(1), s.send(1, {.flags = flag::syn, .seq = 5});
  CHECK(only(departure::reset));
  s.syn(2), s.listener.unreachable(tuple(2), s.iss(2), s.now);
  CHECK(only(departure::reset));
  s.syn(3), s.syn(4);
  CHECK(only(departure::evicted));
  s.run_until(s.now + at(64));
  CHECK(only(departure::expired));
  s.out.answer = send_result::failed;
  s.syn(5);
  CHECK(only(departure::send_failed));
  s.out.answer = send_result::sent;
  s.syn(6);
  s.out.answer = send_result::failed;
  s.tick(s.now + at(1));
  CHECK(only(departure::send_failed));
  s.out.answer = send_result::sent;
  s.syn(7), s.ack(7);
  CHECK(only(departure::promoted));
  s.listener.set(tunable::abort_on_overflow, 1);
  s.listener.accept();
  s.syn(8);
  s.out.takes_children = false;
  s.ack(8);
  CHECK(only(departure::overflow));
  s.syn(9), s.listener.close(s.out), s.tick(s.now + at(1));
  CHECK(only(departure::closed));
  CHECK(s.listener.request_count() == 0);
}

namespace {

// Gates of a user's own: the client's port says what happens.
template <syn_answer Answer>
struct odd_backlogs {
  static constexpr const char* name = "odd_backlogs";
  static constexpr gate_owner owner = gate_owner::gate;
  static constexpr syn_answer answer = Answer;
  static constexpr bool closed(const syn_facts& f, const tunable_source auto&) noexcept { return f.backlog % 2 == 1; }
};
template <syn_answer Answer>
using own_gate = with<modern, admission<in_order<gates::known_request, odd_backlogs<Answer>, gates::request_queue>>>;

}  // namespace

TEST_CASE("dropped_by_gate: a gate of the user's own drops or resets, and an open one lets pass") {
  script<own_gate<syn_answer::drop>> d{3};
  CHECK(d.syn(0) == verdict::dropped_by_gate);
  CHECK(d.out.count == 0);
  d.listener.listen(2);
  CHECK(d.syn(0) == verdict::admitted);
  script<own_gate<syn_answer::reset>> r{3};
  CHECK(r.syn(0) == verdict::dropped_by_gate);
  CHECK(r.out.last().flags == (flag::rst | flag::ack));
  CHECK(r.last.stages.has(stage::answered_reset));
}

TEST_CASE("dropped_refused: the outer stack says no to a new peer, not to a known one") {
  script<modern> s{4};
  s.syn(0);
  s.facts.refused = true;
  CHECK(s.syn(1) == verdict::dropped_refused);
  CHECK(s.syn(0) == verdict::duplicate_syn);
  CHECK(s.ack(0) == verdict::promoted);
  CHECK(s.out.count == 2);
  CHECK(s.listener.counters().listen_drops == 1);
}

// kernels.md 6, invariant 47.
TEST_CASE("dropped_send_failed: a SYN-ACK that cannot leave costs the request where send_failure says so") {
  script<with<modern, send_failure<fatal>>> f{4};
  f.out.answer = send_result::failed;
  CHECK(f.syn(0) == verdict::dropped_send_failed);
  CHECK(of(f.listener) == counts{0, 0, 0});
  CHECK(f.last.stages.has(stage::send_failed));
  CHECK_FALSE(f.listener.next_deadline());

  script<modern> k{4};
  k.out.answer = send_result::failed;
  CHECK(k.syn(0) == verdict::admitted);
  CHECK(of(k.listener) == counts{1, 1, 0});
  CHECK(k.last.stages.has(stage::send_failed));
  CHECK_FALSE(k.last.stages.has(stage::answered));
  k.out.answer = send_result::sent;
  k.run_until(at(1));
  CHECK(k.out.count == 1);
}

// `later` is no failure: the timer sends it.
TEST_CASE("a sink that says later at the SYN keeps the request, even where a failure is fatal") {
  script<with<modern, send_failure<fatal>>> s{4};
  s.out.answer = send_result::later;
  CHECK(s.syn(0) == verdict::admitted);
  CHECK(s.listener.request_count() == 1);
  s.out.answer = send_result::sent;
  s.run_until(at(1));
  CHECK(s.out.count == 1);
  CHECK(s.ack(0) == verdict::promoted);
}

// kernels.md 2.0, step 2; quirk 16: "without limitations".
TEST_CASE("a SYN whose ISN a TIME-WAIT chose is admitted over the limit, with that ISN") {
  script<no_cookies_618> s{1};
  s.facts.isn = 65539;
  CHECK(s.syn(0) == verdict::admitted);
  CHECK(s.out.last().seq == 65539);
  CHECK(s.request(0).iss == 65539);
  CHECK(s.ack(0) == verdict::promoted);
  s.facts = {};
  s.listener.accept();
  s.syn(1), s.syn(2);
  CHECK(s.syn(3) == verdict::dropped_request_full);
  s.facts.isn = 99;
  CHECK(s.syn(3) == verdict::admitted);
  CHECK(s.listener.request_count() == 3);
  // There is room for eight beyond the limit, and then there is no memory.
  for (int peer = 4; peer <= 10; ++peer) CHECK(s.syn(peer) == verdict::admitted);
  CHECK(s.syn(11) == verdict::dropped_no_memory);
}

// The bypass is of the SYN queue only: A > N is tested whatever the ISN.
TEST_CASE("a chosen ISN opens the request queue's gate but not the accept queue's") {
  script<modern> s{0};
  s.connect(0, 0);
  s.facts.isn = 99;
  CHECK(s.syn(1) == verdict::dropped_accept_full);
}

// syncache: FreeBSD, NetBSD, OpenBSD.
TEST_CASE("evict_oldest: the oldest request makes room, its peer hears nothing") {
  script<with<no_cookies_618, request_full<evict_oldest>>> s{1};
  s.syn(0), s.syn(1);
  CHECK(s.syn(2) == verdict::admitted);
  CHECK(s.last.stages.has(stage::evicted));
  CHECK(s.last.stages.has(stage::request_full));
  CHECK_FALSE(s.waits(0));
  CHECK(s.waits(1));
  CHECK(s.waits(2));
  CHECK(s.out.count == 3);
  CHECK(s.out.last().destination == tuple(2).peer());
  CHECK(s.ack(0) == verdict::stray);
  CHECK(s.ack(2) == verdict::promoted);
}

TEST_CASE("evict_oldest without anybody to evict drops") {
  script<with<no_cookies_618, request_full<evict_oldest>, sizing<same_as_backlog>>> s{0};
  CHECK(s.syn(0) == verdict::dropped_request_full);
}

// A flood against a full accept queue would empty the request queue for nothing.
TEST_CASE("nobody is evicted for a SYN that a later gate refuses") {
  script<with<no_cookies_618, request_full<evict_oldest>>> s{1};
  s.connect(0, 0);
  s.syn(1), s.syn(2);
  s.ack(1);  // accept queue full, one request left
  s.listener.listen(0);
  REQUIRE(s.listener.request_full());
  REQUIRE(s.listener.accept_full());
  CHECK(s.syn(3) == verdict::dropped_accept_full);
  CHECK(s.waits(2));
}

// NetBSD and OpenBSD: so_qlen is tested before syn_cache_add looks anything up.
TEST_CASE("a duplicate SYN meets the gates that stand before the lookup") {
  script<with<modern, admission<bsd_gates>>> b{0};
  b.syn(0);
  b.listener.listen(1);
  b.syn(1);
  b.listener.listen(0);
  b.ack(0);
  CHECK(b.syn(1) == verdict::dropped_accept_full);
  script<modern> l{1};
  l.syn(0), l.syn(1);
  l.listener.listen(0);
  l.ack(0);
  CHECK(l.syn(1) == verdict::duplicate_syn);
}

TEST_CASE("syncache_gates do not look at the accept queue before the ACK") {
  script<with<modern, admission<syncache_gates>>> s{0};
  s.connect(0, 0);
  CHECK(s.syn(1) == verdict::admitted);
  CHECK(s.ack(1) == verdict::overflow_kept);
}

// --- at a request
// -----------------------------------------------------------------------------------------------------

TEST_CASE("duplicate_syn: the SYN-ACK again with the same ISN, and never a second request") {
  script<modern> s{4};
  s.syn(0);
  const seq_number iss = s.out.last().seq;
  s.now = at(0.2);
  CHECK(s.syn(0) == verdict::duplicate_syn);
  CHECK(s.out.count == 2);
  CHECK(s.out.last().flags == synack);
  CHECK(s.out.last().seq == iss);
  CHECK(of(s.listener) == counts{1, 1, 0});
  CHECK(s.request(0).retransmits == 1);
}

// golden/synack.json, "dupsyn_burst": answered at 0.057 and 0.609, then by the timer 1 s later; 18 skipped.
TEST_CASE("duplicate SYNs: one answer per 500 ms, and an answer restarts the timer, on 6.18") {
  constexpr double sent[] = {0.057269, 0.108096, 0.154165, 0.205084, 0.255575, 0.306447, 0.353141,
                             0.408653, 0.452287, 0.508393, 0.554343, 0.608971, 0.652795, 0.712007,
                             0.755578, 0.806477, 0.852033, 0.903013, 0.959211, 1.010199};
  script<modern> s{16};
  s.syn(0);
  std::vector<instant> answered;
  for (const double t : sent) {
    s.run_until(at(t));
    const std::size_t before = s.out.count;
    CHECK(s.syn(0) == verdict::duplicate_syn);
    CHECK(s.last.stages.has(stage::rate_limited) == (s.out.count == before));
    if (s.out.count > before) answered.push_back(s.now);
  }
  CHECK(answered == std::vector<instant>{at(0.057269), at(0.608971)});
  CHECK(s.listener.counters().ack_skipped_syn_recv == 18);
  CHECK(s.listener.next_deadline() == at(1.608971));
  s.run_until(at(1.7));
  CHECK(s.listener.next_deadline() == at(3.608971));
  s.run_until(at(3.7));
  CHECK(s.listener.next_deadline() == at(7.608971));
}

// kernels.md 3.3: 3.12 restarts without a limit, 2.6.32 does not touch the timer.
TEST_CASE("duplicate SYNs on 3.12 are all answered and push the deadline; on 2.6.32 they push nothing") {
  script<preset::linux_3_12> s{4};
  s.syn(0);
  for (const double t : {0.1, 0.2, 0.3}) s.now = at(t), s.syn(0);
  CHECK(s.out.count == 4);
  CHECK(s.request(0).deadline == at(1.3));
  script<preset::linux_2_6_32> o{4};
  o.syn(0);
  for (const double t : {0.1, 0.2, 0.3}) o.now = at(t), o.syn(0);
  CHECK(o.out.count == 4);
  CHECK(o.request(0).deadline == at(3));
  CHECK(o.request(0).retransmits == 0);
}

TEST_CASE("a duplicate SYN whose answer cannot leave restarts nothing") {
  script<modern> s{4};
  s.syn(0);
  s.out.answer = send_result::failed;
  s.now = at(0.6);
  CHECK(s.syn(0) == verdict::duplicate_syn);
  CHECK(s.last.stages.has(stage::send_failed));
  CHECK(s.listener.next_deadline() == at(1));
}

// kernels.md 6, invariant 31.
TEST_CASE("wrong_ack: RST from the number that was acknowledged, and the request stays") {
  script<modern> s{4};
  s.syn(0);
  for (const std::int64_t wrong : {0, 2, 1001, -1000}) {
    CHECK(s.send(0, {.flags = flag::ack, .seq = 1, .ack = wrong}) == verdict::wrong_ack);
    CHECK(s.out.last().flags == flag::rst);
    CHECK(s.out.last().seq == s.iss(0) + static_cast<seq_number>(wrong));
  }
  CHECK(of(s.listener) == counts{1, 1, 0});
  CHECK(s.ack(0) == verdict::promoted);
}

// kernels.md 6, invariant 34. A limit shared by all requests, or by none.
TEST_CASE("out_of_window: a bare ACK, one per 500 ms and request; data and FIN are always answered; a RST never") {
  script<modern> s{4};
  s.syn(0), s.syn(1);
  CHECK(s.send(0, {.flags = flag::ack, .seq = -1000, .ack = 1}) == verdict::out_of_window);
  CHECK(s.out.last().flags == flag::ack);
  CHECK(s.out.last().seq == s.iss(0) + 1);
  CHECK(s.out.last().ack == C + 1);
  CHECK(s.out.last().window == 64240);
  std::size_t sent = s.out.count;
  CHECK(s.send(0, {.flags = flag::ack, .seq = -1000, .ack = 1}) == verdict::out_of_window);
  CHECK(s.last.stages.has(stage::rate_limited));
  CHECK(s.out.count == sent);
  s.send(1, {.flags = flag::ack, .seq = -1000, .ack = 1});
  CHECK(s.out.count == sent + 1);
  s.send(0, {.flags = flag::ack, .seq = -1000, .ack = 1, .bytes = 5});
  CHECK(s.out.count == sent + 2);
  s.send(0, {.flags = flag::ack | flag::fin, .seq = -1000, .ack = 1});
  CHECK(s.out.count == sent + 3);
  s.send(0, {.flags = flag::syn, .seq = -1000, .bytes = 5});  // SYN with data is limited
  CHECK(s.out.count == sent + 3);
  sent = s.out.count;
  s.now = at(0.9);
  CHECK(s.send(0, {.flags = flag::rst, .seq = -1000}) == verdict::out_of_window);
  CHECK(s.out.count == sent);
  CHECK(s.listener.request_count() == 2);
}

TEST_CASE("challenged: a RST in the window but not exact gets an ACK, and the request stays") {
  script<modern> s{4};
  s.syn(0);
  CHECK(s.send(0, {.flags = flag::rst, .seq = 2}) == verdict::challenged);
  CHECK(s.out.last().flags == flag::ack);
  CHECK(s.waits(0));
  CHECK(s.send(0, {.flags = flag::rst, .seq = 1000}) == verdict::challenged);
  CHECK(s.last.stages.has(stage::rate_limited));
  CHECK(s.send(0, {.flags = flag::rst, .seq = 2, .bytes = 5}) == verdict::challenged);  // data make no difference
  CHECK(s.last.stages.has(stage::rate_limited));
}

// kernels.md 6, invariant 32.
TEST_CASE("request_reset: a RST removes exactly that request and says nothing; old Linux takes any in the window") {
  script<modern> s{4};
  s.syn(0), s.syn(1);
  CHECK(s.rst(0) == verdict::request_reset);
  CHECK(s.out.count == 2);
  CHECK_FALSE(s.waits(0));
  CHECK(s.waits(1));
  script<preset::linux_3_12> o{4};
  o.syn(0);
  CHECK(o.send(0, {.flags = flag::rst, .seq = 1000}) == verdict::request_reset);
  CHECK(o.listener.request_count() == 0);
}

TEST_CASE("request_reset_by_syn: another SYN in the window takes the request away and gets a RST") {
  script<modern> s{4};
  s.syn(0);
  CHECK(s.send(0, {.flags = flag::syn, .seq = 500}) == verdict::request_reset_by_syn);
  CHECK(s.out.last().flags == (flag::rst | flag::ack));
  CHECK(s.out.last().ack == C + 501);
  CHECK(s.listener.request_count() == 0);
}

TEST_CASE("no_ack: data or FIN without ACK are ignored, and the request stays") {
  script<modern> s{4};
  s.syn(0);
  CHECK(s.send(0, {.flags = flag::psh, .seq = 1, .bytes = 13}) == verdict::no_ack);
  CHECK(s.send(0, {.flags = flag::fin, .seq = 1}) == verdict::no_ack);
  CHECK(s.out.count == 1);
  CHECK(s.ack(0) == verdict::promoted);
}

// kernels.md 6, invariant 29. FIN or data forgotten in "bare".
TEST_CASE("deferred: a bare ACK is remembered and ignored, an ACK with data or FIN finishes") {
  script<modern> s{4};
  s.listener.set(tunable::defer_accept, 5);
  for (int i = 0; i < 3; ++i) s.syn(i);
  CHECK(s.ack(0) == verdict::deferred);
  CHECK(s.request(0).acked);
  CHECK(of(s.listener) == counts{3, 3, 0});
  CHECK(s.data(0) == verdict::promoted);
  CHECK(s.data(1) == verdict::promoted);
  CHECK(s.send(2, {.flags = flag::ack | flag::fin, .seq = 1, .ack = 1}) == verdict::promoted);
}

TEST_CASE("promoted: the request becomes a waiting connection, first in first out") {
  script<modern> s{4};
  s.syn(0), s.syn(1), s.syn(2);
  CHECK(s.ack(1) == verdict::promoted);
  CHECK(s.ack(0) == verdict::promoted);
  CHECK(of(s.listener) == counts{1, 1, 2});
  CHECK(s.out.children == 2);
  CHECK(s.out.count == 3);  // an ACK is not answered
  CHECK(s.listener.accept().handle == tuple(1));
  CHECK(s.listener.accept().handle == tuple(0));
  CHECK(s.listener.accept().status == accept_status::would_block);
}

// The hole of half a million ways to acknowledge: seq inside the window is enough.
TEST_CASE("the final ACK may lie anywhere in the window, may carry data, and may be a SYN's crossed data") {
  for (const std::int64_t seq : {1, 2, 1000, 64240, 64241}) {
    CAPTURE(seq);
    script<modern> s{4};
    s.syn(0);
    CHECK(s.send(0, {.flags = flag::ack, .seq = seq, .ack = 1}) == verdict::promoted);
  }
  script<modern> s{4};
  s.syn(0);
  CHECK(s.send(0, {.flags = flag::ack, .seq = 64242, .ack = 1}) == verdict::out_of_window);
  CHECK(s.send(0, {.flags = flag::psh | flag::ack, .seq = 0, .ack = 1, .bytes = 13}) == verdict::promoted);
}

// kernels.md 6, invariant 27.
TEST_CASE("overflow_kept: the ACK is ignored, Q, Y and A stay, the request remembers it") {
  script<modern> s{0};
  s.syn(0);
  s.listener.listen(1);
  s.syn(1);
  s.listener.listen(0);
  s.ack(0);
  REQUIRE(of(s.listener) == counts{1, 1, 1});
  const std::size_t sent = s.out.count;
  CHECK(s.ack(1) == verdict::overflow_kept);
  CHECK(s.last.stages.has(stage::accept_full));
  CHECK(of(s.listener) == counts{1, 1, 1});
  CHECK(s.request(1).acked);
  CHECK(s.out.count == sent);
  CHECK(s.out.children == 1);
  s.listener.accept();
  CHECK(s.data(1) == verdict::promoted);  // every retransmission is a new chance
}

TEST_CASE("overflow_reset: one RST from the number that was acknowledged, and the request is gone") {
  script<modern> s{1};
  s.syn(0), s.syn(1);
  s.listener.set(tunable::abort_on_overflow, 1);
  s.listener.listen(0);
  s.ack(0);
  const seq_number iss = s.iss(1);
  CHECK(s.ack(1) == verdict::overflow_reset);
  CHECK(s.out.last().flags == flag::rst);
  CHECK(s.out.last().seq == iss + 1);
  CHECK(of(s.listener) == counts{0, 0, 1});
}

TEST_CASE("overflow_forgotten: the request is gone and nothing is said") {
  script<with<modern, accept_full_at_ack<forget>>> s{1};
  s.syn(0), s.syn(1);
  s.listener.listen(0);
  s.ack(0);
  CHECK(s.ack(1) == verdict::overflow_forgotten);
  CHECK(s.out.count == 2);
  CHECK(of(s.listener) == counts{0, 0, 1});
}

// XNU, "inc + comp >= N": a handshake that finishes moves from one queue to the other, so the sum does not grow.
TEST_CASE("where both queues share the slots, the one that finishes is not counted against itself") {
  script<with<modern, waiting<sum_to_backlog>>> s{2};
  CHECK(s.syn(0) == verdict::admitted);
  CHECK(s.syn(1) == verdict::admitted);
  CHECK(s.syn(2) == verdict::dropped_accept_full);
  CHECK(s.ack(0) == verdict::promoted);
  CHECK(s.ack(1) == verdict::promoted);
  CHECK(s.syn(2) == verdict::dropped_accept_full);
  s.listener.accept();
  CHECK(s.syn(2) == verdict::admitted);
}

// A child that the stack refuses is not an overflow, but abort_on_overflow applies (kernels.md 4.1, step 12).
TEST_CASE("a refused child: kept, or reset where that is asked for") {
  script<modern> s{4};
  s.out.takes_children = false;
  s.syn(0);
  CHECK(s.ack(0) == verdict::overflow_kept);
  CHECK(s.last.stages.has(stage::child_refused));
  CHECK_FALSE(s.last.stages.has(stage::accept_full));
  CHECK(of(s.listener) == counts{1, 1, 0});
  CHECK(s.listener.counters().listen_overflows == 0);
  CHECK(s.listener.counters().listen_drops == 1);
  s.listener.set(tunable::abort_on_overflow, 1);
  CHECK(s.ack(0) == verdict::overflow_reset);
  CHECK(s.listener.request_count() == 0);
}

// --- neither SYN nor request
// --------------------------------------------------------------------------------------------

TEST_CASE("stray: a RST with the number that was acknowledged") {
  script<modern> s{4};
  CHECK(s.send(0, {.flags = flag::ack, .seq = 1, .ack = 777}) == verdict::stray);
  CHECK(s.out.last().flags == flag::rst);
  CHECK(s.out.last().seq == 777);
  CHECK(s.send(0, {.flags = synack, .ack = 777}) == verdict::stray);
  CHECK(s.out.count == 2);
}

TEST_CASE("ignored: RST, no flags, FIN, SYN with FIN where the era says so") {
  script<modern> s{4};
  for (const flags f : {flag::rst, flag::rst | flag::ack, flag::none, flag::fin, flag::syn | flag::fin,
                        flag::syn | flag::rst, flag::syn | flag::rst | flag::ack}) {
    CAPTURE(f.bits);
    CHECK(s.send(0, {.flags = f}) == verdict::ignored);
  }
  CHECK(s.out.count == 0);
  script<preset::linux_2_6_32> o{4};
  CHECK(o.send(0, {.flags = flag::syn | flag::fin}) == verdict::admitted);
}

TEST_CASE("not_listening: RST, but none to a RST; before listen and after close") {
  modern l;
  recorder<> out;
  segment s;
  s.flags = flag::syn;
  s.seq = 9;
  CHECK(l.receive(s, 0, out).verdict == verdict::not_listening);
  CHECK(out.last().flags == (flag::rst | flag::ack));
  CHECK(out.last().ack == 10);
  s.flags = flag::rst;
  CHECK(l.receive(s, 0, out).verdict == verdict::not_listening);
  CHECK(out.count == 1);
  CHECK(l.counters().out_rsts == 1);
}

// --- cookies
// ------------------------------------------------------------------------------------------------------------

TEST_CASE("cookie_sent: nothing is stored, the SYN-ACK carries no option that would not survive") {
  script<modern> s{0};
  s.syn(0);
  CHECK(s.syn(1, {.mss = 1460, .window_scale = 7, .sack_permitted = true}) == verdict::cookie_sent);
  CHECK(of(s.listener) == counts{1, 1, 0});
  CHECK(s.last.stages.has(stage::request_full));
  CHECK(s.last.stages.has(stage::cookie_wanted));
  CHECK(s.out.last().options == tcp_options{.mss = 1460});
  CHECK(s.out.last().window == 64240);
  s.syn(2, {.mss = 1460, .window_scale = 7, .sack_permitted = true, .timestamps = true, .ts_value = 5000});
  CHECK(s.out.last().options.sack_permitted);
  CHECK(s.out.last().options.window_scale == 10);
  CHECK(s.out.last().options.ts_echo == 5000);
  CHECK(s.out.last().window == 65160);
}

TEST_CASE("cookie_promoted: the ACK brings everything back that the cookie and the timestamp hold") {
  struct keeper : recorder<> {
    handshake shake{};
    bool make_child(const handshake& h, const segment&) {
      shake = h;
      return true;
    }
  };
  script<modern, keeper> s{4};
  s.listener.set(tunable::syncookies, 2);
  s.now = at(100);
  s.send(0, {.flags = flag::syn | flag::ece | flag::cwr,
             .options = {.mss = 1440, .window_scale = 7, .sack_permitted = true, .timestamps = true, .ts_value = 50}});
  CHECK(s.listener.request_count() == 0);
  const std::uint32_t ours = s.out.last().options.ts_value;
  const seq_number iss = s.out.last().seq;
  s.now = at(101);
  CHECK(s.send(0, {.flags = flag::ack,
                   .seq = 1,
                   .ack = 1,
                   .options = {.timestamps = true, .ts_value = 60, .ts_echo = ours}}) == verdict::cookie_promoted);
  CHECK(s.last.stages.has(stage::cookie_checked));
  CHECK(s.last.stages.has(stage::cookie_valid));
  CHECK(of(s.listener) == counts{0, 0, 1});
  const handshake& h = s.out.shake;
  CHECK(h.cookie);
  CHECK(h.key == tuple(0));
  CHECK(h.iss == iss);
  CHECK(h.irs == C);
  CHECK(h.peer_mss == 1440);
  CHECK(h.send_scale == 7);
  CHECK(h.receive_scale == 10);
  CHECK(h.sack);
  CHECK(h.ecn);
  CHECK(h.timestamps);
  CHECK(h.ts_recent == 60);
  CHECK(h.window == 65160);
  s.now = at(102);
  s.syn(1, {.mss = 9000, .window_scale = 7, .sack_permitted = true});
  CHECK(s.ack(1) == verdict::cookie_promoted);
  CHECK(h.peer_mss == 1460);
  CHECK_FALSE(h.window_scaling);
  CHECK_FALSE(h.sack);
  CHECK_FALSE(h.timestamps);
}

// kernels.md 4.2: nothing is remembered, and abort_on_overflow is not consulted.
TEST_CASE("cookie_overflow: a valid cookie without room is dropped in silence, even where overflow resets") {
  script<modern> s{0};
  s.listener.set(tunable::syncookies, 2);
  s.listener.set(tunable::abort_on_overflow, 1);
  s.syn(0), s.syn(1);
  CHECK(s.ack(0) == verdict::cookie_promoted);
  const std::size_t sent = s.out.count;
  CHECK(s.ack(1) == verdict::cookie_overflow);
  CHECK(s.out.count == sent);
  CHECK(of(s.listener) == counts{0, 0, 1});
  s.listener.accept();
  CHECK(s.data(1) == verdict::cookie_promoted);  // the same bytes again, and now there is room
  s.listener.accept();
  s.syn(2);
  s.out.takes_children = false;
  CHECK(s.ack(2) == verdict::cookie_overflow);
  CHECK(s.last.stages.has(stage::child_refused));
}

// As this machine's kernel does it: tcp_check_req hands a wrong ACK to the listener, which tries it as a cookie, and
// the child finds the four-tuple taken. A listener that answers with RST kills a peer that has done nothing wrong.
TEST_CASE("cookie_in_vain: the cookie of an earlier SYN does nothing while a later SYN's request waits") {
  script<modern> s{0};
  s.listener.set(tunable::syncookies, 2);
  s.syn(0);
  const seq_number cookie = s.iss(0);
  s.listener.set(tunable::syncookies, 1);
  s.syn(0);
  CHECK(s.waits(0));
  const auto with_cookie = [&] {
    return s.send(0, {.flags = flag::ack, .seq = 1, .ack = std::int64_t{cookie} - s.iss(0) + 1});
  };
  const std::size_t sent = s.out.count;
  CHECK(with_cookie() == verdict::cookie_in_vain);
  CHECK(s.out.count == sent);
  CHECK(of(s.listener) == counts{1, 1, 0});
  CHECK(s.listener.counters().syncookies_recv == 1);
  CHECK(s.listener.counters().passive_opens == 1);
  CHECK(s.send(0, {.flags = flag::ack, .seq = 1, .ack = 777}) == verdict::wrong_ack);
  CHECK(s.out.last().flags == flag::rst);
  CHECK(s.listener.counters().syncookies_failed == 1);
  CHECK(s.send(0, {.flags = flag::syn | flag::ack, .seq = 1, .ack = 777}) == verdict::wrong_ack);
  CHECK(s.listener.counters().syncookies_failed == 1);
  CHECK(s.ack(0) == verdict::promoted);
  s.listener.set(tunable::syncookies, 0);
  CHECK(of(s.listener) == counts{0, 0, 1});
}

// A listener that never sent a cookie must not even look (golden/extra.json, first two rows).
TEST_CASE("an ACK is tried as a cookie only up to two minutes after one that was sent") {
  script<modern> s{0};
  s.ack(0);
  CHECK_FALSE(s.last.stages.has(stage::cookie_checked));
  CHECK(s.listener.counters().syncookies_failed == 0);
  s.syn(1), s.syn(2);
  CHECK(s.send(0, {.flags = flag::ack, .seq = 1, .ack = 777}) == verdict::stray);
  CHECK(s.last.stages.has(stage::cookie_checked));
  CHECK(s.listener.counters().syncookies_failed == 1);
  CHECK(s.out.last().flags == flag::rst);
  s.now = at(120);
  s.ack(0);
  CHECK(s.last.stages.has(stage::cookie_checked));
  s.now = at(120.000001);
  s.ack(0);
  CHECK_FALSE(s.last.stages.has(stage::cookie_checked));
}

TEST_CASE("a cookie's ACK that is switched off, a SYN-ACK or a RST is not tried") {
  script<modern> s{4};
  s.listener.set(tunable::syncookies, 2);
  s.syn(0);
  CHECK(s.send(0, {.flags = synack, .seq = 1, .ack = 1}) == verdict::stray);
  CHECK(s.send(0, {.flags = flag::rst | flag::ack, .seq = 1, .ack = 1}) == verdict::ignored);
  CHECK_FALSE(s.last.stages.has(stage::cookie_checked));
  s.listener.set(tunable::syncookies, 0);
  CHECK(s.ack(0) == verdict::stray);
  s.listener.set(tunable::syncookies, 1);
  CHECK(s.ack(0) == verdict::cookie_promoted);
}

// A scale of 0 is not "no scale": the peer would not scale its windows, we would.
TEST_CASE("a cookie tells no window scale from scale 0") {
  const auto negotiated = [](std::uint8_t scale) {
    modern l;
    l.listen(4);
    l.set(tunable::syncookies, 2);
    segment s;
    s.flags = flag::syn;
    s.options = {.window_scale = scale, .timestamps = true, .ts_value = 5};
    const auto syn_step = l.receive(s, at(9));
    s.flags = flag::ack;
    s.seq = 1;
    s.ack = syn_step.reply->seq + 1;
    s.options = {.timestamps = true, .ts_value = 6, .ts_echo = syn_step.reply->options.ts_value};
    const auto ack_step = l.receive(s, at(9));
    REQUIRE(ack_step.finished);
    return ack_step.finished->window_scaling;
  };
  CHECK(negotiated(0));
  CHECK_FALSE(negotiated(tcp_options::no_window_scale));
}

// As this machine's kernel does it (cookie_tcp_check). Shifted like any other, an echo of 0 would be read as options
// out of our own clock's offset.
TEST_CASE("a cookie's ACK that echoes 0 brings timestamps and window scale 0, no SACK, no ECN") {
  modern l;
  l.listen(4);
  l.set(tunable::syncookies, 2);
  segment s;
  s.flags = flag::syn;
  s.options = {.window_scale = 7, .sack_permitted = true, .timestamps = true, .ts_value = 5};
  const auto syn_step = l.receive(s, at(9));
  s.flags = flag::ack;
  s.seq = 1;
  s.ack = syn_step.reply->seq + 1;
  s.options = {.timestamps = true, .ts_value = 6, .ts_echo = 0};
  const auto ack_step = l.receive(s, at(9));
  REQUIRE(ack_step.finished);
  CHECK(ack_step.finished->timestamps);
  CHECK(ack_step.finished->window_scaling);
  CHECK(ack_step.finished->send_scale == 0);
  CHECK_FALSE(ack_step.finished->sack);
  CHECK_FALSE(ack_step.finished->ecn);
}

// A cookie takes no room, so there is no quarter to keep.
TEST_CASE("the last quarter is not asked of a SYN that a cookie answers") {
  script<with<modern, cookies<under_pressure<linux_6_18_cookie>>>> s{4};
  s.listener.set(tunable::syncookies, 0);  // the cookies of this composition are not tuned; the quarter's rule is
  s.listener.set(tunable::max_syn_backlog, 4);
  for (int i = 0; i < 4; ++i) CHECK(s.syn(i) == verdict::admitted);
  CHECK(s.syn(4) == verdict::dropped_last_quarter);
  s.facts.proven = true;
  CHECK(s.syn(4) == verdict::admitted);
  s.facts = {};
  CHECK(s.syn(5) == verdict::cookie_sent);
}

namespace {

// Lets cookies pass a full accept queue, and nothing else.
struct admit_cookies {
  static constexpr syn_answer on_accept_full(const overflow_facts& f) {
    return f.cookie ? syn_answer::admit : syn_answer::drop;
  }
};

}  // namespace

TEST_CASE("accept_full_at_syn is told whether a cookie would be the answer") {
  script<with<modern, accept_full_at_syn<admit_cookies>>> s{0};
  s.connect(0, 0);
  CHECK(s.syn(1) == verdict::dropped_accept_full);
  s.listener.set(tunable::syncookies, 2);
  CHECK(s.syn(1) == verdict::cookie_sent);
}

// An option that was never on offer: the host does not do SACK, the echo claims it.
TEST_CASE("a cookie whose timestamp claims an option that is not on offer is none") {
  script<with<modern, offer<no_sack>>> s{4};
  s.listener.set(tunable::syncookies, 2);
  s.now = at(50);
  s.syn(0, {.timestamps = true, .ts_value = 5});
  const std::uint32_t ours = s.out.last().options.ts_value;
  const auto ack_with = [&](std::uint32_t echo) {
    return s.send(0, {.flags = flag::ack, .seq = 1, .ack = 1, .options = {.timestamps = true, .ts_echo = echo}});
  };
  CHECK(ack_with(ours | 0x10U) == verdict::stray);
  CHECK(ack_with(ours) == verdict::cookie_promoted);
}

TEST_CASE("no policy of cookies: always, under_pressure by type, and keys that matter") {
  using always_on = with<modern, cookies<always<linux_6_18_cookie>>>;
  script<always_on> s{4};
  CHECK(s.syn(0) == verdict::cookie_sent);
  CHECK_FALSE(s.last.stages.has(stage::request_full));
  using pressed = with<modern, cookies<under_pressure<linux_6_18_cookie>>>;
  script<pressed> p{0};
  CHECK(p.syn(0) == verdict::admitted);
  CHECK(p.syn(1) == verdict::cookie_sent);
  always<linux_6_18_cookie> keys;
  keys.keys.key.tuple = {11, 12};
  script<always_on> k{4, always_on{keys}};
  k.syn(0);
  CHECK(k.out.last().seq != s.out.last().seq);
  CHECK(k.ack(0) == verdict::cookie_promoted);
}

// --- timestamps
// -----------------------------------------------------------------------------------------------------------

namespace {

constexpr tcp_options stamp(std::uint32_t value, std::uint32_t echo = 0) {
  return {.timestamps = true, .ts_value = value, .ts_echo = echo};
}

}  // namespace

// RFC 7323 5; golden/responses.json, SYN_RECV+TS.
TEST_CASE("PAWS: an older timestamp is not the final ACK, an equal or newer one is") {
  script<modern> s{4};
  s.syn(0, stamp(5000));
  const std::uint32_t ours = s.out.last().options.ts_value;
  CHECK(s.send(0, {.flags = flag::ack, .seq = 1, .ack = 1, .options = stamp(4999, ours)}) == verdict::out_of_window);
  CHECK(s.last.stages.has(stage::old_timestamp));
  CHECK(s.out.last().flags == flag::ack);
  CHECK(s.out.last().options.ts_echo == 5000);
  CHECK(s.send(0, {.flags = flag::ack, .seq = 1, .ack = 1, .options = stamp(5000, ours)}) == verdict::promoted);
}

// Linux, tcp_paws_check: a remembered 0 rejects nothing (stacks that start their clock at 0).
TEST_CASE("PAWS: a SYN whose timestamp was 0 sets no limit") {
  script<modern> s{4};
  s.syn(0, stamp(0));
  const std::uint32_t ours = s.out.last().options.ts_value;
  // tcp_v4_send_ack: where a timestamp would echo 0, there is none.
  CHECK(s.send(0, {.flags = flag::ack, .seq = -9, .ack = 1, .options = stamp(1, ours)}) == verdict::out_of_window);
  CHECK(s.out.last().options == tcp_options{});
  CHECK(s.send(0, {.flags = flag::ack, .seq = 1, .ack = 1, .options = stamp(0xfffffff0U, ours)}) == verdict::promoted);
}

// The window of echoes: from the first SYN-ACK's stamp to the latest one's.
TEST_CASE("an echo that no SYN-ACK carried is refused; any of those sent is taken; none at all, too") {
  const auto echo = [](std::int64_t shift, bool late) {
    script<modern> s{4};
    s.syn(0, stamp(5000));
    const std::uint32_t first = s.out.last().options.ts_value;
    s.run_until(at(3));
    const std::uint32_t latest = s.out.last().options.ts_value;
    CHECK(latest == first + 3000);
    const std::uint32_t e = (late ? latest : first) + static_cast<std::uint32_t>(shift);
    const verdict v = s.send(0, {.flags = flag::ack, .seq = 1, .ack = 1, .options = stamp(6000, e)});
    CHECK(s.last.stages.has(stage::bad_echo) == (v != verdict::promoted));
    return v;
  };
  CHECK(echo(0, false) == verdict::promoted);
  CHECK(echo(-1, false) == verdict::out_of_window);
  CHECK(echo(1500, false) == verdict::promoted);
  CHECK(echo(0, true) == verdict::promoted);
  CHECK(echo(1, true) == verdict::out_of_window);
  script<modern> s{4};
  s.syn(0, stamp(5000));
  CHECK(s.send(0, {.flags = flag::ack, .seq = 1, .ack = 1, .options = stamp(6000, 0)}) == verdict::promoted);
  script<preset::linux_3_12> o{4};
  o.syn(0, stamp(5000));
  CHECK(o.send(0, {.flags = flag::ack, .seq = 1, .ack = 1, .options = stamp(6000, 12345)}) == verdict::promoted);
}

// The old kernels let a late ACK renew the echo: the article's trace shows a SYN-ACK that echoes the client's data.
TEST_CASE("an ACK that finds no room renews the timestamp that the next SYN-ACK echoes, on 2.6.32 and 3.12 only") {
  const auto echoed = []<class L>(script<L> s, double until) {
    s.syn(0, stamp(5000)), s.syn(1, stamp(5000));
    s.listener.listen(0);
    s.send(0, {.flags = flag::ack, .seq = 1, .ack = 1, .options = stamp(5000)});
    CHECK(s.send(1, {.flags = flag::ack, .seq = 1, .ack = 1, .options = stamp(7000)}) == verdict::overflow_kept);
    s.run_until(at(until));
    return s.out.last().options.ts_echo;
  };
  CHECK(echoed(script<preset::linux_2_6_32>{1}, 5) == 7000);
  CHECK(echoed(script<preset::linux_3_12>{1}, 1.8) == 7000);
  CHECK(echoed(script<modern>{1}, 1.5) == 5000);
}

// tcp_check_req: only a segment that starts no later than what we expect next may renew it.
TEST_CASE("on 3.12 data behind a gap do not renew the timestamp") {
  script<preset::linux_3_12> s{1};
  s.syn(0, stamp(5000)), s.syn(1, stamp(5000));
  s.listener.listen(0);
  s.send(0, {.flags = flag::ack, .seq = 1, .ack = 1, .options = stamp(5000)});
  s.send(1, {.flags = flag::ack, .seq = 100, .ack = 1, .bytes = 5, .options = stamp(7000)});
  CHECK(s.request(1).ts_recent == 5000);
  s.send(1, {.flags = flag::ack, .seq = 1, .ack = 1, .options = stamp(6000)});
  CHECK(s.request(1).ts_recent == 6000);
}

TEST_CASE("on 3.12 data without ACK are ignored, but their timestamp is not") {
  script<preset::linux_3_12> s{1};
  s.syn(0, stamp(5000));
  CHECK(s.send(0, {.flags = flag::psh, .seq = 1, .bytes = 13, .options = stamp(6000)}) == verdict::no_ack);
  CHECK(s.request(0).ts_recent == 6000);
}

// One clock for all peers tells a scanner the uptime and lets it link connections.
TEST_CASE("each peer sees a timestamp clock of its own where the offer says so") {
  script<modern> s{4};
  s.syn(0, stamp(1));
  const std::uint32_t a = s.out.last().options.ts_value;
  s.syn(1, stamp(1));
  CHECK(s.out.last().options.ts_value != a);
  script<preset::linux_3_12> o{4};
  o.now = at(2);
  o.syn(0, stamp(1));
  CHECK(o.out.last().options.ts_value == 2000);
}

// --- everything else
// ------------------------------------------------------------------------------------------------------

TEST_CASE("unreachable: ends the request whose SYN-ACK it is about, and no other") {
  script<modern> s{4};
  s.syn(0), s.syn(1);
  CHECK(s.listener.unreachable(tuple(0), s.iss(0) + 1, s.now) == icmp_verdict::wrong_number);
  CHECK(s.listener.unreachable(tuple(2), s.iss(0), s.now) == icmp_verdict::no_request);
  CHECK(s.listener.request_count() == 2);
  CHECK(s.listener.unreachable(tuple(0), s.iss(0), s.now) == icmp_verdict::ended);
  CHECK_FALSE(s.waits(0));
  CHECK(s.waits(1));
  CHECK(s.listener.counters().listen_drops == 1);
  CHECK(s.listener.counters().out_of_window_icmps == 1);
}

// An error that may pass ends the request of a network that is only flapping; one that will not pass lets it stay.
// Linux has it the other way round for IPv4, and the right way round for IPv6.
TEST_CASE("unreachable: which errors end a request of 6.18, by family") {
  constexpr icmp_error all[] = {icmp_error::network_unreachable,  icmp_error::host_unreachable,
                                icmp_error::protocol_unreachable, icmp_error::port_unreachable,
                                icmp_error::prohibited,           icmp_error::time_exceeded,
                                icmp_error::parameter_problem,    icmp_error::other};
  const auto run = [&]<class L>(script<L> s) {
    std::string ended;
    s.listener.listen(16);
    for (int i = 0; i < 8; ++i) {
      s.syn(i);
      const auto v = s.listener.unreachable(test::tuple<typename L::addressing_type>(i), s.iss(i), s.now, all[i]);
      CHECK(s.waits(i) == (v == icmp_verdict::ignored));
      ended += v == icmp_verdict::ended ? '1' : '0';
    }
    return ended;
  };
  CHECK(run(script<modern>{8}) == "11000110");
  CHECK(run(script<with<modern, family<ipv6>>>{8}) == "00111010");
  CHECK(run(script<with<modern, family<dual>>>{8}) == "00111010");
  CHECK(run(script<preset::linux_3_12>{8}) == "11111110");
}

// A peer behind a mapped address gets IPv4's ICMP errors, whatever the listener's family.
TEST_CASE("unreachable: a mapped address is IPv4") {
  script<with<modern, family<dual>>> s{8};
  auto in = s.segment(0, {.flags = flag::syn});
  in.source.address = dual::mapped(ip(10, 0, 0, 2));
  s.receive(in);
  const auto key = four_tuple_of(in);
  const seq_number iss = s.listener.find_request(key)->iss;
  CHECK(s.listener.unreachable(key, iss, s.now, icmp_error::port_unreachable) == icmp_verdict::ignored);
  CHECK(s.listener.unreachable(key, iss, s.now, icmp_error::host_unreachable) == icmp_verdict::ended);
}

// syncache_unreach: an entry must not die of a spurious outage. Forgetting the mark, every error would be the first.
TEST_CASE("unreachable: second_error_after<3> takes the second error, after three timeouts") {
  script<with<modern, icmp<second_error_after<3>>>> s{8};
  s.syn(0), s.syn(1);
  const auto error = [&](int i) { return s.listener.unreachable(tuple(i), s.iss(i), s.now); };
  CHECK(error(0) == icmp_verdict::noted);
  CHECK(error(0) == icmp_verdict::noted);  // the second one, but too early
  s.run_until(at(3));                      // two timeouts
  CHECK(error(0) == icmp_verdict::noted);
  s.run_until(at(7));
  CHECK(error(1) == icmp_verdict::noted);  // three timeouts, but the first error
  CHECK(error(0) == icmp_verdict::ended);
  CHECK(error(1) == icmp_verdict::ended);
  CHECK(s.listener.request_count() == 0);
}

TEST_CASE("unreachable: icmp_ignored keeps every request, and an error for nobody is not one for somebody") {
  script<with<modern, icmp<icmp_ignored>>> s{8};
  s.syn(0);
  CHECK(s.listener.unreachable(tuple(0), s.iss(0), s.now) == icmp_verdict::ignored);
  CHECK(s.waits(0));
  CHECK(s.listener.counters().listen_drops == 0);
}

// Linux finds the request in its table, whatever has become of the listener.
TEST_CASE("unreachable: also ends a request that a closed listener has left to its timer") {
  script<modern> s{8};
  s.syn(0), s.syn(1);
  s.listener.close(s.out);
  CHECK(s.listener.unreachable(tuple(0), s.iss(0), s.now) == icmp_verdict::ended);
  CHECK(s.listener.request_count() == 1);
  CHECK(s.listener.listen(4));
  CHECK(s.listener.unreachable(tuple(1), s.iss(1), s.now) == icmp_verdict::no_request);
}

// kernels.md 6: arithmetic modulo 2^32 everywhere.
TEST_CASE("both ISNs at the very end of the number space") {
  script<with<modern, isn<fixed_isn<0xffffffffU>>>> s{4};
  s.client_isn = 0xffffffffU;
  CHECK(s.syn(0) == verdict::admitted);
  CHECK(s.out.last().seq == 0xffffffffU);
  CHECK(s.out.last().ack == 0);
  CHECK(s.send(0, {.flags = flag::ack, .seq = 64242, .ack = 1}) == verdict::out_of_window);
  CHECK(s.out.last().seq == 0);
  CHECK(s.send(0, {.flags = flag::rst, .seq = 2}) == verdict::challenged);
  CHECK(s.send(0, {.flags = flag::ack, .seq = 1, .ack = 0}) == verdict::wrong_ack);
  CHECK(s.data(0) == verdict::promoted);
  script<with<modern, isn<fixed_isn<0xfffffff0U>>>> r{4};
  r.client_isn = 0xffffff00U;
  r.syn(0);
  CHECK(r.send(0, {.flags = flag::ack, .seq = 5000, .ack = 1}) == verdict::promoted);
}

TEST_CASE("IPv6, dual and tagged families make the same handshake") {
  const auto run = []<class L>(script<L> s) {
    CHECK(s.syn(0) == verdict::admitted);
    CHECK(s.syn(1) == verdict::admitted);
    CHECK(s.syn(0) == verdict::duplicate_syn);
    CHECK(s.ack(0) == verdict::promoted);
    s.run_until(at(1));
    CHECK(s.listener.accept().handle == tuple<typename L::addressing_type>(0));
    s.listener.set(tunable::syncookies, 2);
    CHECK(s.syn(2) == verdict::cookie_sent);
    CHECK(s.ack(2) == verdict::cookie_promoted);
  };
  run(script<with<modern, family<ipv6>>>{4});
  run(script<with<modern, family<dual>>>{4});
  run(script<with<modern, family<tagged<ipv4>>>>{4});
  run(script<with<modern, family<tagged<ipv6>>>>{4});
}

TEST_CASE("equal addresses with different tags are different peers") {
  using l = with<modern, family<tagged<ipv4>>>;
  script<l> s{4};
  s.syn(0);
  auto other = s.segment(0, {.flags = flag::syn});
  other.source.address.tag = 77;
  CHECK(s.receive(other) == verdict::admitted);
  CHECK(s.listener.request_count() == 2);
}

TEST_CASE("the ISN follows the peer, the key and the clock") {
  using keyed = with<modern, cookies<no_cookies>>;
  const auto iss = [](siphash<2, 4> key, int peer, instant now) {
    script<keyed> s{4, keyed{key}};
    s.now = now;
    s.syn(peer);
    return s.out.last().seq;
  };
  const siphash<2, 4> a{{1, 2}};
  CHECK(iss(a, 0, 0) == iss(a, 0, 0));
  CHECK(iss(a, 0, 0) != iss(a, 1, 0));
  CHECK(iss(a, 0, 0) != iss({{3, 2}}, 0, 0));
  CHECK(iss(a, 0, second) == iss(a, 0, 0) + 250000);
}

// A word of the four-tuple that the hash does not see: an attacker would read one connection's ISN off another's.
TEST_CASE("the ISN follows every part of the four-tuple") {
  script<modern> s{8};
  const auto iss = [&](auto change) {
    segment x = s.segment(0, {.flags = flag::syn});
    change(x);
    REQUIRE(s.receive(x) == verdict::admitted);
    return s.out.last().seq;
  };
  const seq_number plain = iss([](segment&) {});
  CHECK(iss([](segment& x) { x.source.port = 9; }) != plain);
  CHECK(iss([](segment& x) { x.source.address = ip(9, 9, 9, 9); }) != plain);
  CHECK(iss([](segment& x) { x.destination.port = 9; }) != plain);
  CHECK(iss([](segment& x) { x.destination.address = ip(9, 9, 9, 9); }) != plain);
}

// One secret for both: the timestamp, which everybody can see, would give the ISN away.
TEST_CASE("the shift of a peer's timestamp clock is not that of its ISN") {
  script<modern> s{8};
  s.syn(0, stamp(1));
  const std::uint32_t a = s.out.last().options.ts_value - s.out.last().seq;
  s.syn(1, stamp(1));
  CHECK(s.out.last().options.ts_value - s.out.last().seq != a);
}

// kernels.md 6, invariant 13: every SYN has one verdict, and the counters are a function of verdicts.
TEST_CASE("SYNs in are the sum of their outcomes") {
  script<modern> s{2};
  s.listener.set(tunable::syncookies, 1);
  std::uint32_t by[verdict_count]{};
  for (int i = 0; i < 300; ++i) {
    s.now += 50 * millisecond;
    ++by[static_cast<std::size_t>(s.syn(i % 40))];
    if (i % 7 == 0) s.ack((i + 3) % 40);
    if (i % 31 == 0) s.listener.accept();
    s.tick(s.now);
  }
  const auto n = [&](verdict v) { return by[static_cast<std::size_t>(v)]; };
  CHECK(n(verdict::admitted) + n(verdict::duplicate_syn) + n(verdict::cookie_sent) + n(verdict::dropped_accept_full) ==
        300);
  CHECK(n(verdict::admitted) > 0);
  CHECK(n(verdict::cookie_sent) > 0);
  CHECK(n(verdict::dropped_accept_full) > 0);
  CHECK(s.listener.counters().syncookies_sent == n(verdict::cookie_sent));
}

TEST_CASE("receive without a sink returns the answer and the record") {
  modern l;
  l.listen(4);
  segment s;
  s.source = tuple(0).peer();
  s.destination = tuple(0).local();
  s.flags = flag::syn;
  s.seq = C;
  const auto syn_step = l.receive(s, 0);
  REQUIRE(syn_step.reply);
  CHECK(syn_step.outcome.verdict == verdict::admitted);
  CHECK(syn_step.reply->flags == synack);
  CHECK_FALSE(syn_step.finished);
  s.flags = flag::ack;
  s.seq = C + 1;
  s.ack = syn_step.reply->seq + 1;
  const auto ack_step = l.receive(s, 0);
  CHECK(ack_step.outcome.verdict == verdict::promoted);
  CHECK_FALSE(ack_step.reply);
  REQUIRE(ack_step.finished);
  CHECK(ack_step.finished->key == tuple(0));
  CHECK(ack_step.finished->irs == C);
  CHECK(ack_step.finished->iss == syn_step.reply->seq);
  CHECK_FALSE(ack_step.finished->cookie);
}
