// SPDX-License-Identifier: BSL-1.0
// listener.hpp: listen and listen again, accept, child_gone, close, tunables, storage, copies, handles, observers.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::recorder;
using test::script;
using test::tuple;

namespace {

using modern = preset::linux_6_18;
using no_cookies_618 = with<modern, cookies<no_cookies>>;

}  // namespace

// --- listen
// -------------------------------------------------------------------------------------------------------------

TEST_CASE("listen clamps its number and sizes both queues from it") {
  modern l;
  CHECK_FALSE(l.listening());
  CHECK(l.listen(5));
  CHECK(l.listening());
  CHECK(l.backlog() == 5);
  CHECK(l.request_limit() == 6);
  CHECK(l.listen(-1));
  CHECK(l.backlog() == 4096);
  preset::linux_3_12 o;
  o.listen(1000);
  CHECK(o.backlog() == 128);
  CHECK(o.request_limit() == 256);
}

TEST_CASE("a backlog of 0 still takes one of each; with the rule of 4.4 to 2024 it takes nobody") {
  script<no_cookies_618> s{0};
  CHECK(s.syn(0) == verdict::admitted);
  CHECK(s.syn(1) == verdict::dropped_request_full);
  CHECK(s.ack(0) == verdict::promoted);
  CHECK(s.listener.accept_full());
  script<with<no_cookies_618, sizing<same_as_backlog>>> z{0};
  CHECK(z.syn(0) == verdict::dropped_request_full);
  CHECK(z.listener.request_limit() == 0);
}

// golden/extra.json, "relisten"; kernels.md 6, invariant 37.
TEST_CASE("listen again with more: room at once, nobody lost, order kept") {
  script<no_cookies_618> s{1};
  s.connect(0, 0);
  s.syn(1), s.syn(2);
  CHECK(s.syn(3) == verdict::dropped_request_full);
  CHECK(s.listener.listen(40));
  CHECK(s.waits(1));
  CHECK(s.waits(2));
  CHECK(s.listener.request_count() == 2);
  CHECK(s.listener.young_count() == 2);
  CHECK(s.syn(3) == verdict::admitted);
  for (int i = 4; i < 40; ++i) REQUIRE(s.syn(i) == verdict::admitted);
  CHECK(s.ack(2) == verdict::promoted);
  CHECK(s.ack(1) == verdict::promoted);
  CHECK(s.listener.accept().handle == tuple(0));
  CHECK(s.listener.accept().handle == tuple(2));
  CHECK(s.listener.accept().handle == tuple(1));
  s.run_until(at(1));
  CHECK(s.listener.young_count() == 0);
}

TEST_CASE("listen again with less: nobody is thrown out, nobody new gets in until it has drained") {
  script<no_cookies_618> s{3};
  s.connect(0, 3);
  s.listener.listen(0);
  CHECK(s.listener.accept_count() == 4);
  CHECK(s.listener.backlog() == 0);
  CHECK(s.listener.request_limit() == 1);
  CHECK(s.syn(4) == verdict::dropped_accept_full);
  for (int i = 0; i < 4; ++i) {
    CHECK(s.listener.accept().handle == tuple(i));
    if (i < 3) CHECK(s.syn(4) == verdict::dropped_accept_full);
  }
  CHECK(s.syn(4) == verdict::admitted);
  CHECK(s.syn(5) == verdict::dropped_request_full);
}

// kernels.md 1.3: the table of an old kernel is sized once.
TEST_CASE("listen again on 3.12 changes the accept queue only; after close the table is new") {
  script<preset::linux_3_12> s{1};
  CHECK(s.listener.request_limit() == 16);
  s.listener.listen(100);
  CHECK(s.listener.backlog() == 100);
  CHECK(s.listener.request_limit() == 16);
  s.listener.close(s.out);
  s.listener.listen(100);
  CHECK(s.listener.request_limit() == 128);
}

TEST_CASE("max_syn_backlog and somaxconn are read at listen") {
  script<preset::linux_3_12> s{1000};
  CHECK(s.listener.request_limit() == 256);
  s.listener.set(tunable::somaxconn, 1000);
  s.listener.set(tunable::max_syn_backlog, 2048);
  CHECK(s.listener.request_limit() == 256);
  CHECK(s.listener.backlog() == 128);
  s.listener.close(s.out);
  s.listener.listen(1000);
  CHECK(s.listener.backlog() == 1000);
  CHECK(s.listener.request_limit() == 1024);
}

// --- storage
// ------------------------------------------------------------------------------------------------------------

TEST_CASE("fixed storage: what does not fit is refused with its numbers, and nothing has changed") {
  using small = with<no_cookies_618, storage<fixed<5, 3>>>;
  small l;
  listen_result r = l.listen(9);
  CHECK(r.status == listen_status::storage_too_small);
  CHECK(r.needed == 10);
  CHECK(r.have == 5);
  CHECK_FALSE(l.listening());
  r = l.listen(3);  // four requests fit, four connections do not
  CHECK(r.status == listen_status::storage_too_small);
  CHECK_FALSE(l.listening());
  script<small> s{2};
  CHECK(s.connect(0, 2) == 3);
  CHECK_FALSE(s.listener.listen(9));
  CHECK(s.listener.listening());
  CHECK(s.listener.backlog() == 2);
  CHECK(s.listener.request_limit() == 3);
  CHECK(s.listener.accept_count() == 3);
  CHECK(s.listener.accept().handle == tuple(0));
}

TEST_CASE("caller_memory: a whole handshake in a block of the caller's, and no byte beside it") {
  using lent = with<no_cookies_618, storage<caller_memory>>;
  alignas(8) std::array<std::byte, 1024> memory;
  memory.fill(std::byte{0x5a});
  recorder<> out;
  lent l{caller_memory{memory.data() + 8, memory.size() - 16}};
  REQUIRE(l.listen(3));
  segment s;
  s.source = tuple(0).peer();
  s.destination = tuple(0).local();
  s.flags = flag::syn;
  CHECK(l.receive(s, 0, out).verdict == verdict::admitted);
  s.flags = flag::ack;
  s.seq = 1;
  s.ack = out.last().seq + 1;
  CHECK(l.receive(s, 0, out).verdict == verdict::promoted);
  CHECK(l.accept().handle == tuple(0));
  for (std::size_t i = 0; i < 8; ++i) {
    CHECK(memory[i] == std::byte{0x5a});
    CHECK(memory[memory.size() - 1 - i] == std::byte{0x5a});
  }
}

// listen() reserves connections first: with requests too many, that memory must not be lost.
TEST_CASE("caller_memory: a listen that fails uses up nothing") {
  using lent = with<no_cookies_618, storage<caller_memory>>;
  constexpr std::size_t connection = sizeof(accept_queue<four_tuple, caller_memory>::entry);
  // Enough for the requests of listen(9), not for its connections too; enough for both of listen(7).
  alignas(8) std::array<std::byte, 10 * lent::bytes_per_request + 8> memory;
  static_assert(8 * (lent::bytes_per_request + connection) <= memory.size());
  lent l{caller_memory{memory.data(), memory.size()}};
  CHECK_FALSE(l.listen(9));
  CHECK_FALSE(l.listening());
  CHECK(l.listen(7));
}

TEST_CASE("a copy is a listener of its own") {
  script<modern> s{4};
  s.connect(0, 0);
  s.syn(1);
  script<modern> copy = s;
  CHECK(copy.ack(1) == verdict::promoted);
  CHECK(copy.listener.accept_count() == 2);
  CHECK(s.listener.accept_count() == 1);
  CHECK(s.waits(1));
  CHECK_FALSE(copy.waits(1));
  s.run_until(at(1));
  CHECK(s.request(1).timeouts == 1);
  CHECK(s.ack(1) == verdict::promoted);
  s = copy;
  CHECK(s.listener.accept_count() == 2);
}

TEST_CASE("a listener moves with everything in it") {
  script<modern> s{4};
  s.connect(0, 0);
  s.syn(1);
  modern moved = std::move(s.listener);
  CHECK(moved.accept_count() == 1);
  CHECK(moved.find_request(tuple(1)) != nullptr);
  CHECK(moved.accept().handle == tuple(0));
}

// --- accept
// ---------------------------------------------------------------------------------------------------------------

TEST_CASE("accept says ok, would_block or not_listening") {
  modern l;
  CHECK(l.accept().status == accept_status::not_listening);
  script<modern> s{4};
  CHECK(s.listener.accept().status == accept_status::would_block);
  CHECK_FALSE(s.listener.accept());
  s.connect(0, 0);
  const auto a = s.listener.accept();
  CHECK(a.status == accept_status::ok);
  CHECK(a);
  CHECK(a.handle == tuple(0));
  s.listener.close(s.out);
  CHECK(s.listener.accept().status == accept_status::not_listening);
}

// golden/extra.json, "RST before accept()": Linux returns the connection, the BSDs report it. Either way it kept its
// slot until then (quirk 22).
TEST_CASE("a connection that was reset while it waited keeps its slot and is returned, or reported") {
  script<modern> s{1};
  s.connect(0, 1);
  CHECK(s.listener.child_gone(tuple(0)));
  CHECK_FALSE(s.listener.child_gone(tuple(0)));
  CHECK_FALSE(s.listener.child_gone(tuple(5)));
  CHECK(s.listener.accept_count() == 2);
  CHECK(s.syn(2) == verdict::dropped_accept_full);
  CHECK(s.listener.accept().status == accept_status::ok);
  script<with<modern, aborted_child<reported>>> r{1};
  r.connect(0, 1);
  r.listener.child_gone(tuple(0));
  CHECK(r.syn(2) == verdict::dropped_accept_full);
  const auto a = r.listener.accept();
  CHECK(a.status == accept_status::aborted);
  CHECK_FALSE(a);
  CHECK(a.handle == tuple(0));
  CHECK(r.listener.accept().status == accept_status::ok);
}

namespace {

// A stack that hands out numbers, and refuses when it is told to.
struct numbering : recorder<> {
  int next = 100;
  bool refuses = false;
  std::vector<int> reset{};
  std::size_t data = 0;
  std::optional<int> make_child(const handshake&, const segment& s) {
    if (refuses) return std::nullopt;
    data += s.payload.size;
    return next++;
  }
  void reset_child(int h) { reset.push_back(h); }
};
using numbered = with<modern, child<handles<int>>>;

}  // namespace

TEST_CASE("handles<int>: the stack's own handle waits, the stack sees the segment that finished, and may refuse") {
  script<numbered, numbering> s{4};
  s.syn(0), s.syn(1), s.syn(2);
  CHECK(s.data(0) == verdict::promoted);
  CHECK(s.out.data == 13);
  s.out.refuses = true;
  CHECK(s.ack(1) == verdict::overflow_kept);
  CHECK(s.last.stages.has(stage::child_refused));
  s.out.refuses = false;
  CHECK(s.ack(2) == verdict::promoted);
  CHECK(s.listener.accept().handle == 100);
  CHECK(s.listener.child_gone(101));
  s.listener.set(tunable::syncookies, 2);
  s.syn(3);
  s.out.refuses = true;
  CHECK(s.ack(3) == verdict::cookie_overflow);
  s.out.refuses = false;
  CHECK(s.ack(3) == verdict::cookie_promoted);
  s.listener.close(s.out);
  CHECK(s.out.reset == std::vector<int>{101, 102});
}

// A child made and then not queued would be nobody's: the accept queue is tested before the stack is asked.
TEST_CASE("the stack is not asked for a child that finds no room") {
  script<modern> s{1};
  s.syn(0), s.syn(1);
  s.listener.listen(0);
  s.ack(0);
  CHECK(s.out.children == 1);
  s.ack(1);
  CHECK(s.out.children == 1);
}

TEST_CASE("deferred_child: the record itself waits") {
  script<with<modern, child<deferred_child>>> s{4};
  s.syn(0, {.mss = 1200});
  const seq_number iss = s.iss(0);
  CHECK(s.ack(0) == verdict::promoted);
  const auto a = s.listener.accept();
  CHECK(a.handle.key == tuple(0));
  CHECK(a.handle.iss == iss);
  CHECK(a.handle.irs == test::C);
  CHECK(a.handle.peer_mss == 1200);
}

// --- close
// ----------------------------------------------------------------------------------------------------------------

// kernels.md 6, invariant 35.
TEST_CASE("close hands every waiting connection back, oldest first, and then the port is closed") {
  script<numbered, numbering> s{4};
  s.connect(0, 2);
  s.syn(3);
  const close_summary sum = s.listener.close(s.out);
  CHECK(sum.children == 3);
  CHECK(s.out.reset == std::vector<int>{100, 101, 102});
  CHECK_FALSE(s.listener.listening());
  CHECK(s.listener.accept_count() == 0);
  CHECK(s.syn(4) == verdict::not_listening);
  CHECK(s.out.last().flags == (flag::rst | flag::ack));
  CHECK(s.listener.close(s.out).children == 0);  // a second close does nothing
  CHECK(s.out.reset.size() == 3);
}

// A close that counts twice in a log, though nothing was open.
TEST_CASE("closing what is closed is no event") {
  std::array<basic_event<ipv4>, 4> memory{};
  using logged = with<modern, observer<event_log<>>>;
  script<logged> s{1, logged{event_log<>{memory.data(), memory.size()}}};
  s.listener.close(s.out);
  s.listener.close(s.out);
  CHECK(s.listener.observer().size == 2);  // listening, closed
}

// A hand that stands where the last listener left it: the new one's first requests are seen at other times.
TEST_CASE("after close and listen the hand starts anew") {
  script<preset::linux_3_12> fresh{16};
  script<preset::linux_3_12> reused{16};
  reused.syn(99);
  reused.tick(at(1));
  reused.tick(at(1.2));
  reused.listener.close(reused.out);
  fresh.now = reused.now = at(2);
  CHECK(reused.listener.listen(16, at(2)));
  for (int i = 0; i < 16; ++i) {
    fresh.syn(i);
    reused.syn(i);
  }
  for (const double t : {3.0, 3.2, 3.4, 3.6}) {
    fresh.tick(at(t));
    reused.tick(at(t));
    CHECK(fresh.listener.young_count() == reused.listener.young_count());
  }
}

TEST_CASE("forget_requests: requests end at close, nothing is sent") {
  script<with<modern, closing<forget_requests>>> s{4};
  s.syn(0), s.syn(1);
  CHECK(s.listener.close(s.out).requests == 2);
  CHECK(s.out.count == 2);
  CHECK(s.listener.request_count() == 0);
  CHECK_FALSE(s.listener.next_deadline());
  CHECK(s.ack(0) == verdict::not_listening);
  CHECK(s.out.last().flags == flag::rst);
}

TEST_CASE("abort_requests: each peer gets one RST where it expects it") {
  script<with<modern, closing<abort_requests>>> s{4};
  s.syn(0), s.syn(1);
  const seq_number iss = s.iss(0);
  CHECK(s.listener.close(s.out).requests == 2);
  CHECK(s.out.count == 4);
  for (std::size_t i = 2; i < 4; ++i) {
    CHECK(s.out[i].flags == (flag::rst | flag::ack));
    if (s.out[i].destination == tuple(0).peer()) CHECK(s.out[i].seq == iss + 1);
  }
  CHECK(s.out[2].destination.port + s.out[3].destination.port == 2 * test::first_port + 1);
  CHECK(s.listener.request_count() == 0);
}

// kernels.md 5: 6.18 leaves them in the table; each dies at its next timer or segment. Invariant 36: no resurrection.
TEST_CASE("leave_to_timer: each request ends in silence at its timer, or with a RST at its next segment") {
  script<modern> s{4};
  s.syn(0), s.syn(1);
  CHECK(s.listener.close(s.out).requests == 0);
  CHECK(s.listener.request_count() == 2);
  CHECK(s.ack(0) == verdict::not_listening);
  CHECK(s.out.last().flags == flag::rst);
  CHECK(s.listener.request_count() == 1);
  const std::size_t sent = s.out.count;
  const auto timeouts = s.listener.counters().timeouts;
  CHECK(s.listener.next_deadline() == at(1));
  CHECK(s.tick(at(1)).forgotten == 1);
  CHECK(s.out.count == sent);
  CHECK(s.listener.request_count() == 0);
  CHECK(s.listener.counters().timeouts == timeouts);
  CHECK(s.listener.accept_count() == 0);
}

TEST_CASE("listen after close starts with nothing of the old one") {
  script<modern> s{4};
  s.connect(0, 1);
  s.syn(2);
  s.listener.set(tunable::syncookies, 2);
  s.syn(3);
  s.listener.close(s.out);
  REQUIRE(s.listener.request_count() == 1);
  CHECK(s.listener.listen(4));
  CHECK(s.listener.request_count() == 0);
  CHECK(s.listener.young_count() == 0);
  CHECK(s.listener.accept_count() == 0);
  CHECK_FALSE(s.listener.next_deadline());
  CHECK(s.ack(2) == verdict::stray);
  CHECK(s.ack(3) == verdict::stray);  // a cookie of the old listener
  CHECK_FALSE(s.last.stages.has(stage::cookie_checked));
}

namespace {

struct counting_budget {
  int* held = nullptr;
  template <addressing A>
  bool allows(const basic_four_tuple<A>&) const {
    return true;
  }
  template <addressing A>
  void entered(const basic_four_tuple<A>&) {
    ++*held;
  }
  template <addressing A>
  void left(const basic_four_tuple<A>&, departure) {
    --*held;
  }
};

}  // namespace

// `entered` and `left` come in pairs (budget.hpp): requests that listen() throws away have left, too.
TEST_CASE("the budget gets back what a listen after close forgets") {
  using l = with<modern, budget<counting_budget>,
                 admission<in_order<gates::known_request, gates::request_queue, gates::budget>>>;
  int held = 0;
  script<l> s{4, l{counting_budget{&held}}};
  s.syn(0), s.syn(1);
  REQUIRE(held == 2);
  s.listener.close(s.out);
  s.listener.listen(4);
  CHECK(s.listener.request_count() == 0);
  CHECK(held == 0);
}

// --- tunables
// -------------------------------------------------------------------------------------------------------------

TEST_CASE("set answers ok, not_tunable or out_of_range, and only ok changes anything") {
  script<modern> s{4};
  CHECK(s.listener.set(tunable::abort_on_overflow, 1) == set_status::ok);
  CHECK(s.listener.get(tunable::abort_on_overflow) == 1);
  CHECK(s.listener.set(tunable::abort_on_overflow, 2) == set_status::out_of_range);
  CHECK(s.listener.get(tunable::abort_on_overflow) == 1);
  CHECK(s.listener.set(tunable::syncookies, 2) == set_status::ok);
  CHECK(s.listener.set(tunable::syncookies, 3) == set_status::out_of_range);
  CHECK(s.listener.get(tunable::syncookies) == 2);
  CHECK(s.listener.set(tunable::synack_retries, 256) == set_status::out_of_range);
  listener<clamp<as_is>, schedule<doubling<1 * second, 3>>, admission<syncache_gates>> fixed_answers;
  CHECK(fixed_answers.set(tunable::somaxconn, 5) == set_status::not_tunable);
  CHECK(fixed_answers.set(tunable::synack_retries, 5) == set_status::not_tunable);
  CHECK(fixed_answers.set(tunable::abort_on_overflow, 1) == set_status::not_tunable);
}

TEST_CASE("a preset's own defaults are where a listener starts") {
  const preset::linux_3_12 o;
  CHECK(o.get(tunable::somaxconn) == 128);
  CHECK(o.get(tunable::syncookies) == 1);
  CHECK(modern{}.get(tunable::max_syn_backlog) == 2048);
  CHECK(modern{}.get(tunable::syncookies) == 1);
}

// --- looking at it
// ----------------------------------------------------------------------------------------------------------

TEST_CASE("every request and every waiting connection can be seen") {
  script<modern> s{8};
  s.connect(0, 2);
  s.syn(3), s.syn(4);
  int ports = 0;
  s.listener.for_each_request([&](const auto& r) { ports += r.key.peer_port - test::first_port; });
  CHECK(ports == 7);
  std::vector<four_tuple> waiting;
  s.listener.for_each_waiting([&](const four_tuple& t) { waiting.push_back(t); });
  CHECK(waiting == std::vector<four_tuple>{tuple(0), tuple(1), tuple(2)});
  CHECK(s.listener.find_request(tuple(4))->irs == test::C);
  CHECK(s.listener.find_request(tuple(0)) == nullptr);
}

TEST_CASE("an event log has one line for everything that happened, in order") {
  std::array<basic_event<ipv4>, 8> memory{};
  using logged = with<modern, observer<event_log<>>>;
  script<logged> s{1, logged{event_log<>{memory.data(), memory.size()}}};
  s.syn(0);
  s.tick(at(0.5));  // nothing due, no line
  s.tick(at(1));
  s.ack(0);
  s.listener.accept(at(2));
  s.listener.accept(at(2));
  s.listener.close(s.out, at(3));
  s.now = at(4);
  s.syn(1);
  using k = event_kind;
  const event_log<>& log = s.listener.observer();
  REQUIRE(log.size == 8);
  CHECK(log.lost == 0);
  constexpr std::array kinds{k::listening, k::received, k::timed_out, k::received,
                             k::accepted,  k::accepted, k::closed,    k::received};
  for (std::size_t i = 0; i < kinds.size(); ++i) CHECK(memory[i].kind == kinds[i]);
  CHECK(memory[1].verdict == static_cast<std::uint8_t>(verdict::admitted));
  CHECK(memory[1].key == tuple(0));
  CHECK(memory[2].at == at(1));
  CHECK(memory[2].key == tuple(0));
  CHECK(memory[3].verdict == static_cast<std::uint8_t>(verdict::promoted));
  CHECK(memory[5].verdict == static_cast<std::uint8_t>(accept_status::would_block));
  CHECK(memory[7].verdict == static_cast<std::uint8_t>(verdict::not_listening));
  s.syn(2);
  CHECK(s.listener.observer().lost == 1);
}

namespace {

// An observer with one hook only.
struct only_timers {
  static constexpr const char* name = "only_timers";
  int fired = 0;
  void on_timer(instant, const four_tuple&, timer_outcome t) { fired += t.verdict == timer_verdict::resent; }
};

}  // namespace

TEST_CASE("an observer implements the hooks it cares for, and no others") {
  script<with<modern, observer<only_timers>>> s{4};
  s.syn(0), s.syn(1), s.ack(0);
  s.run_until(at(1));
  s.listener.accept();
  s.listener.close(s.out);
  CHECK(s.listener.observer().fired == 1);
}

// kernels.md 6, invariant 45.
TEST_CASE("the same inputs give the same outputs") {
  const auto run = [] {
    script<modern> s{3};
    std::vector<std::uint32_t> trace;
    for (int i = 0; i < 200; ++i) {
      s.run_until(s.now + 37 * millisecond);
      trace.push_back(static_cast<std::uint32_t>(s.syn(i % 11)));
      if (i % 3 == 0) trace.push_back(static_cast<std::uint32_t>(s.ack(i % 7)));
      if (i % 13 == 0) s.listener.accept();
      if (s.out.count > 0) trace.push_back(s.out.last().seq);
    }
    return trace;
  };
  CHECK(run() == run());
}
