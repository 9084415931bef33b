// SPDX-License-Identifier: BSL-1.0
// group.hpp: several listeners on one port. What a kernel does was measured on 6.18.44 (SO_REUSEPORT, backlogs of 0 to
// 4, tcp_migrate_req 0 and 1).
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <listenq/group.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::recorder;

namespace {

using modern = with<preset::linux_6_18, cookies<no_cookies>>;

/// A group, its listeners, and their peers.
template <class L, class G = group<L, 4>, class Sink = recorder<typename L::addressing_type>>
struct world {
  using family = typename L::addressing_type;
  std::array<L, 5> member;
  G g{};
  Sink out{};
  instant now = 0;
  outcome last{};
  std::map<int, seq_number> iss{};

  /// `n` members with this backlog.
  explicit world(int n, int backlog = 4) {
    for (int i = 0; i < n; ++i) REQUIRE(join(i, backlog) == join_status::ok);
  }
  join_status join(int i, int backlog = 4) { return g.join(member[static_cast<std::size_t>(i)], backlog, now); }
  close_summary leave(int i) { return g.leave(member[static_cast<std::size_t>(i)], out, now); }
  L& operator[](int i) { return member[static_cast<std::size_t>(i)]; }

  static auto key(int peer) { return test::tuple<family>(peer); }
  verdict send(int peer, flags f, seq_number seq, seq_number ack = 0) {
    basic_segment<family> s;
    s.source = key(peer).peer();
    s.destination = key(peer).local();
    s.flags = f;
    s.seq = test::C + seq;
    s.ack = f.has(flag::ack) ? iss[peer] + ack : 0;
    const std::size_t sent = out.count;
    last = g.receive(s, now, out);
    if (out.count > sent && out.last().flags.has(flag::syn)) iss[peer] = out.last().seq;
    return last.verdict;
  }
  verdict syn(int peer) { return send(peer, flag::syn, 0); }
  verdict ack(int peer) { return send(peer, flag::ack, 1, 1); }
  verdict rst(int peer) { return send(peer, flag::rst, 1); }
  verdict connect(int peer) { return syn(peer) == verdict::admitted ? ack(peer) : last.verdict; }
  tick_summary tick(instant t) {
    now = t;
    return g.tick(now, out);
  }
  /// The `n`-th peer (from 0 on) whose home is member `i` now.
  int peer_of(int i, int n = 0, int from = 0) {
    for (int peer = from;; ++peer) {
      if (g.choose(key(peer)) == &member[static_cast<std::size_t>(i)] && n-- == 0) return peer;
    }
  }
  bool has(int i, int peer) { return (*this)[i].find_request(key(peer)) != nullptr; }
  std::vector<int> waiting(int i) {
    std::vector<int> peers;
    (*this)[i].for_each_waiting([&](const auto& k) { peers.push_back(k.peer_port - test::first_port); });
    return peers;
  }
};

}  // namespace

// --- who is chosen

// A hash that is scaled wrongly leaves the last member without work, or names one that is not there.
TEST_CASE("newcomers are spread evenly, and each goes where choose says") {
  for (int n = 1; n <= 4; ++n) {
    CAPTURE(n);
    world<modern> w{n, 1000};
    std::array<int, 4> got{};
    for (int peer = 0; peer < 1000; ++peer) {
      auto* const home = w.g.choose(w.key(peer));
      REQUIRE(w.syn(peer) == verdict::admitted);
      CHECK(home->find_request(w.key(peer)) != nullptr);
      for (int i = 0; i < n; ++i) got[static_cast<std::size_t>(i)] += w.has(i, peer);
    }
    int all = 0;
    for (int i = 0; i < n; ++i) {
      CHECK(got[static_cast<std::size_t>(i)] > 1000 / n * 8 / 10);
      all += got[static_cast<std::size_t>(i)];
    }
    CHECK(all == 1000);
    CHECK(w.g.request_count() == 1000);
    CHECK(w.g.young_count() == 1000);
  }
}

// The order is that of joining; who leaves is replaced by the last (reuseport_detach_sock).
TEST_CASE("when a member leaves, the last takes its place and the others' peers stay theirs") {
  world<modern> w{4};
  const auto choice = [&w] {
    std::vector<const modern*> c;
    for (int peer = 0; peer < 300; ++peer) c.push_back(w.g.choose(w.key(peer)));
    return c;
  };
  const auto before = choice();
  w.leave(3);
  w.join(3);
  CHECK(choice() == before);  // the last one comes back as the last one
  w.leave(1);                 // the order is 0 3 2
  const auto after = choice();
  for (std::size_t p = 0; p < 300; ++p) {
    CHECK(after[p] != &w[1]);
    if (before[p] == &w[0]) CHECK(after[p] == &w[0]);  // the first quarter is in the first third
    if (before[p] == &w[3]) CHECK(after[p] == &w[2]);  // the last quarter is in the last third
  }
}

// --- joining

TEST_CASE("join says what is wrong, and then the group is what it was") {
  world<modern, group<modern, 2>> w{2};
  CHECK(w.join(2) == join_status::full);
  CHECK_FALSE(w[2].listening());
  CHECK(w.join(1, 9) == join_status::ok);  // again, with another backlog
  CHECK(w[1].backlog() == 9);
  CHECK(w.g.size() == 2);
  w.syn(w.peer_of(0));
  w.leave(0);
  CHECK(w.g.left() == 1);
  CHECK(w.join(2) == join_status::full);  // the one that left still has a request
  CHECK(w.tick(at(1)).forgotten == 1);
  CHECK(w.join(2) == join_status::ok);
  CHECK(w.g.left() == 0);
  CHECK(w.g.size() == 2);
}

// With another key the timestamp clock of a request that is handed over would jump.
TEST_CASE("a listener with another hash key cannot join") {
  group<modern> g;
  modern a;
  modern b{siphash<2, 4>{{1, 2}}};
  CHECK(g.join(a, 4) == join_status::ok);
  CHECK(g.join(b, 4) == join_status::other_key);
  CHECK_FALSE(b.listening());
}

TEST_CASE("storage: what listen refuses, join refuses; migration needs room for what waits at all") {
  using small = with<modern, storage<fixed<32, 8>>>;
  world<small> w{0};
  CHECK(w.join(0, 40) == join_status::storage_too_small);
  CHECK(w.g.size() == 0);
  CHECK(w.join(0, 3) == join_status::ok);
  CHECK(w.g.migrate(true));
  CHECK(w.join(1, 3) == join_status::ok);  // 2 x 4 connections, 2 x (4 + 8) requests
  CHECK(w.join(2, 1) == join_status::storage_too_small);
  CHECK_FALSE(w[2].listening());
  CHECK(w.g.size() == 2);
  CHECK(w.g.left() == 0);
  CHECK(w.g.migrate(false));
  CHECK(w.join(2, 1) == join_status::ok);
  CHECK_FALSE(w.g.migrate(true));
  w.connect(0);
  w.leave(w.g.choose(w.key(0)) == &w[0] ? 0 : w.g.choose(w.key(0)) == &w[1] ? 1 : 2);
  CHECK(w.out.resets == 1);  // still off
}

TEST_CASE("a port without listeners is closed, before the first and after the last") {
  world<modern> w{0};
  CHECK(w.syn(0) == verdict::not_listening);
  CHECK(w.out.last().flags == (flag::rst | flag::ack));
  CHECK(w.rst(0) == verdict::not_listening);
  CHECK(w.out.count == 1);
  CHECK_FALSE(w.g.next_deadline());
  w.join(0);
  w.connect(0);
  w.leave(0);
  CHECK(w.out.resets == 1);
  CHECK(w.syn(1) == verdict::not_listening);
}

// --- the group changes while requests wait

// Measured: of eleven requests none was lost when two more listeners joined.
TEST_CASE("a request is found again after the group has grown or shrunk") {
  world<modern> w{2, 200};
  std::vector<int> at_0;
  for (int peer = 0; peer < 60; ++peer) {
    REQUIRE(w.syn(peer) == verdict::admitted);
    if (w.has(0, peer)) at_0.push_back(peer);
  }
  w.join(2, 200);
  w.join(3, 200);
  int elsewhere = 0;
  for (int peer = 0; peer < 30; ++peer) {
    const bool was_at_0 = w.has(0, peer);
    elsewhere += !w.g.choose(w.key(peer))->find_request(w.key(peer));
    CHECK(w.syn(peer) == verdict::duplicate_syn);  // not a second request at its new home
    CHECK(w.ack(peer) == verdict::promoted);
    CHECK(w.has(0, peer) == false);
    const auto waits = w.waiting(was_at_0 ? 0 : 1);
    CHECK(std::find(waits.begin(), waits.end(), peer) != waits.end());
  }
  CHECK(elsewhere > 5);
  w.leave(3);
  for (int peer = 30; peer < 60; ++peer) CHECK(w.ack(peer) == verdict::promoted);
  CHECK(w.g.request_count() == 0);
  CHECK(w.g.accept_count() == 60);
}

// kernels.md 5: a table for each listener.
TEST_CASE("found::at_home, as 3.12: once the group has grown, an ACK that is rehashed gets a RST") {
  using old = preset::linux_3_12;
  world<old, group<old, 4, found::at_home>> w{1, 100};
  for (int peer = 0; peer < 40; ++peer) w.syn(peer);
  w.join(1, 100);
  int lost = 0;
  for (int peer = 0; peer < 40; ++peer) {
    const bool at_home = w.g.choose(w.key(peer)) == &w[0];
    CHECK(w.ack(peer) == (at_home ? verdict::promoted : verdict::stray));
    if (!at_home) CHECK(w.out.last().flags == flag::rst);
    lost += !at_home;
  }
  CHECK(lost > 10);
  CHECK(w.g.request_count() == static_cast<std::uint32_t>(lost));
}

TEST_CASE("an ICMP error reaches the request, wherever it is") {
  world<modern> w{2, 100};
  for (int peer = 0; peer < 20; ++peer) w.syn(peer);
  w.join(2, 100);
  for (int peer = 0; peer < 20; ++peer) {
    CHECK(w.g.unreachable(w.key(peer), w.iss[peer] + 1, w.now) == icmp_verdict::wrong_number);
    CHECK(w.g.unreachable(w.key(peer), w.iss[peer], w.now) == icmp_verdict::ended);
    CHECK(w.g.unreachable(w.key(peer), w.iss[peer], w.now) == icmp_verdict::no_request);
  }
}

// --- leaving without migration (the default). Measured: R. for the waiting one, R for the request's ACK.

TEST_CASE("without migration: connections are reset, the request's ACK gets the sibling's RST, a SYN starts anew") {
  world<modern> w{2};
  const int waits = w.peer_of(0, 0);
  const int half = w.peer_of(0, 1);
  const int again = w.peer_of(0, 2);
  const int silent = w.peer_of(0, 3);
  w.connect(waits), w.syn(half), w.syn(again), w.syn(silent);
  const seq_number old = w.iss[again];
  const close_summary sum = w.leave(0);
  CHECK(sum.children == 1);
  CHECK(w.out.resets == 1);
  CHECK(w.ack(half) == verdict::stray);
  CHECK(w.out.last().flags == flag::rst);
  w.now = at(0.2);
  CHECK(w.syn(again) == verdict::admitted);
  CHECK(w.has(1, again));
  CHECK_FALSE(w.has(0, again));
  CHECK(w.iss[again] != old);
  const std::size_t sent = w.out.count;
  CHECK(w.tick(at(1)).forgotten == 1);  // `silent`, and nobody is told
  CHECK(w.out.count == sent);
  CHECK(w.g.counters() == group_counters{});
}

TEST_CASE("what a detached listener had is not found") {
  world<modern> w{2};
  const int peer = w.peer_of(0);
  w.syn(peer);
  CHECK_FALSE(w.g.detach(w[0]));  // it must leave first
  w.leave(0);
  CHECK(w.g.detach(w[0]));
  CHECK_FALSE(w.g.detach(w[0]));
  CHECK(w.g.left() == 0);
  CHECK(w.syn(peer) == verdict::admitted);
  CHECK(w.has(0, peer));
  CHECK(w.has(1, peer));
}

// --- migration

TEST_CASE("migration: waiting connections go to a sibling at once, behind those that wait there, and none is reset") {
  world<modern> w{3, 2};
  REQUIRE(w.g.migrate(true));
  std::vector<int> mine, theirs;
  for (int n = 0; n < 3; ++n) {
    w.connect(w.peer_of(0, n));
    mine.push_back(w.peer_of(0, n));
  }
  w.connect(w.peer_of(1)), w.connect(w.peer_of(2));
  theirs = {w.peer_of(1), w.peer_of(2)};
  const close_summary sum = w.leave(0);
  CHECK(sum.children == 0);
  CHECK(w.out.resets == 0);
  CHECK(w.g.counters().migrate_req_success == 3);
  CHECK(w.g.accept_count() == 5);
  std::vector<int> moved;
  for (int i = 1; i < 3; ++i) {
    const auto all = w.waiting(i);
    REQUIRE_FALSE(all.empty());
    CHECK(all.front() == theirs[static_cast<std::size_t>(i - 1)]);
    for (std::size_t k = 1; k < all.size(); ++k) {
      CHECK(w.g.choose(w.key(all[k])) == &w[i]);
      if (k > 1) CHECK(all[k - 1] < all[k]);  // the order in which they finished
    }
    moved.insert(moved.end(), all.begin() + 1, all.end());
  }
  std::sort(moved.begin(), moved.end());
  CHECK(moved == mine);
}

// Measured with backlogs of 2 and 0: the sibling had room for one, held one, and then holds three.
TEST_CASE("migration: a full sibling takes waiting connections all the same") {
  world<modern> w{2, 2};
  w.g.migrate(true);
  w.join(1, 0);
  w.connect(w.peer_of(1));
  w.connect(w.peer_of(0, 0)), w.connect(w.peer_of(0, 1));
  CHECK(w[1].accept_full());
  w.leave(0);
  CHECK(w[1].accept_count() == 3);
  CHECK(w.out.resets == 0);
  CHECK(w.g.counters().migrate_req_success == 2);
  CHECK(w.syn(77) == verdict::dropped_accept_full);
}

// The whole of the measurement: the same backlogs, and a request that waits at the listener that leaves.
TEST_CASE("migration: an ACK for a full sibling is an overflow, the timer migrates, and then there is room") {
  world<modern> w{2, 2};
  w.g.migrate(true);
  w.join(1, 0);
  const int p = w.peer_of(0);
  w.connect(w.peer_of(1));
  w.syn(p);
  w.leave(0);
  CHECK(w.ack(p) == verdict::overflow_kept);
  CHECK(w[1].counters().listen_overflows == 1);
  CHECK(w[1].counters().listen_drops == 1);
  CHECK(w.g.counters().migrate_req_failure == 1);
  CHECK(w.has(0, p));  // it stays where it was
  CHECK_FALSE(w.has(1, p));
  w.now = at(0.6);
  CHECK(w.syn(p) == verdict::duplicate_syn);
  CHECK(w.out.last().flags == (flag::syn | flag::ack));
  CHECK(w.has(0, p));
  CHECK(w.g.counters().migrate_req_success == 0);
  CHECK(w.g.next_deadline() == at(1.6));
  const std::size_t sent = w.out.count;
  CHECK(w.tick(at(1.6)).resent == 1);
  CHECK(w.out.count == sent + 1);
  CHECK(w.out.last().seq == w.iss[p]);
  CHECK(w.has(1, p));
  CHECK_FALSE(w.has(0, p));
  CHECK(w[1].young_count() == 0);
  CHECK(w.g.counters().migrate_req_success == 1);
  CHECK(w[1].accept());
  CHECK(w.ack(p) == verdict::promoted);
  CHECK(w.g.counters() == group_counters{.migrate_req_success = 1, .migrate_req_failure = 1});
}

TEST_CASE("migration: the final ACK of a request finishes it at the sibling") {
  world<modern> w{2};
  w.g.migrate(true);
  const int p = w.peer_of(0);
  w.syn(p);
  w.leave(0);
  CHECK(w[0].request_count() == 1);
  CHECK(w.ack(p) == verdict::promoted);
  CHECK(w.out.children == 1);
  CHECK(w[0].request_count() == 0);
  CHECK(w[1].accept().handle == w.key(p));
  CHECK(w[1].counters().passive_opens == 1);
  CHECK(w.g.counters().migrate_req_success == 1);
  CHECK_FALSE(w.g.next_deadline());
}

TEST_CASE("migration: with abort on overflow the ACK for a full sibling is answered by RST, and the request is gone") {
  world<modern> w{2, 0};
  w.g.migrate(true);
  w[1].set(tunable::abort_on_overflow, 1);
  const int p = w.peer_of(0);
  w.connect(w.peer_of(1));
  w.syn(p);
  w.leave(0);
  CHECK(w.ack(p) == verdict::overflow_reset);
  CHECK(w.g.request_count() == 0);
  CHECK(w.g.counters().migrate_req_failure == 1);
}

// reqsk_timer_handler: cloned for the sibling, expired there, and thrown away.
TEST_CASE("migration: a request that expires at the timer that would have moved it is a failure") {
  world<modern> w{2};
  w.g.migrate(true);
  for (int i = 0; i < 2; ++i) w[i].set(tunable::synack_retries, 0);
  const int p = w.peer_of(0);
  w.syn(p);
  w.leave(0);
  const tick_summary t = w.tick(at(1));
  CHECK(t.forgotten == 1);
  CHECK(t.resent == 0);
  CHECK(w.g.request_count() == 0);
  CHECK(w.g.counters() == group_counters{.migrate_req_failure = 1});
}

TEST_CASE("migration: an RST, a bad ACK and a cookie-less stray do what they do at a listener") {
  world<modern> w{2};
  w.g.migrate(true);
  const int p = w.peer_of(0, 0);
  const int q = w.peer_of(0, 1);
  w.syn(p), w.syn(q);
  w.leave(0);
  CHECK(w.send(p, flag::ack, 1, 7) == verdict::wrong_ack);
  CHECK(w.has(0, p));
  CHECK(w.rst(p) == verdict::request_reset);
  CHECK(w.ack(p) == verdict::stray);
  CHECK(w.ack(q) == verdict::promoted);
  CHECK(w.g.counters().migrate_req_failure == 0);
}

TEST_CASE(
    "migration: without a sibling connections are reset, requests end as the policies say, and each is a failure") {
  world<modern> w{1};
  w.g.migrate(true);
  w.connect(0), w.connect(1), w.syn(2);
  CHECK(w.leave(0).children == 2);
  CHECK(w.out.resets == 2);
  CHECK(w.g.counters().migrate_req_failure == 2);
  CHECK(w.ack(2) == verdict::not_listening);
  CHECK(w.g.request_count() == 0);
}

// Its requests would have moved at their timer; a listener that begins anew must not take them with it.
TEST_CASE("migration: a listener that comes back finds its old requests with its siblings, not lost") {
  world<modern> w{2};
  w.g.migrate(true);
  const int p = w.peer_of(0);
  w.syn(p);
  w.leave(0);
  w.join(0);
  CHECK(w[0].request_count() == 0);
  CHECK(w.has(1, p));
  CHECK(w.g.counters().migrate_req_success == 1);
  CHECK(w.ack(p) == verdict::promoted);
}

// Siblings that hold more than their limit, since they have taken over before, had no room for the next ones.
TEST_CASE(
    "migration: a listener that leaves and comes back ten times, each time full, loses no request or connection") {
  world<modern> w{2, 1};
  w.g.migrate(true);
  int peer = 0;
  for (int cycle = 1; cycle <= 10; ++cycle) {
    CAPTURE(cycle);
    peer = w.peer_of(0, 0, peer);
    for (; w.connect(peer) == verdict::promoted; peer = w.peer_of(0, 0, peer + 1)) {
    }
    CHECK(w[0].accept_full());
    w[0].accept();
    for (; w.syn(peer) == verdict::admitted; peer = w.peer_of(0, 0, peer + 1)) {
    }
    CHECK(w[0].request_full());
    const std::uint32_t requests = w.g.request_count();
    const std::uint32_t waiting = w.g.accept_count();
    w.leave(0);
    CHECK(w.join(0, 1) == join_status::ok);
    CHECK(w.g.request_count() == requests);
    CHECK(w.g.accept_count() == waiting);
    CHECK(w[0].request_count() == 0);
  }
  CHECK(w[1].request_count() > 3 * w[0].request_limit());
  CHECK(w.g.counters().migrate_req_failure == 0);
  CHECK(w.out.resets == 0);
}

// An earlier now counts as no time passed: the listener that has left would have taken it for due, and forgotten it.
TEST_CASE("migration: a request that is due goes to a sibling, also when the clock was put back meanwhile") {
  world<modern> w{2};
  w.g.migrate(true);
  const int p = w.peer_of(0);
  w.syn(p);
  w.now = at(2);
  w.leave(0);
  CHECK(w.tick(at(0.5)).resent == 1);
  CHECK(w.has(1, p));
  CHECK_FALSE(w.has(0, p));
}

TEST_CASE("migration: two listeners leave, and what the first had given the second goes on to the third") {
  world<modern> w{3};
  w.g.migrate(true);
  std::vector<int> peers;
  for (int i = 0; i < 3; ++i) peers.push_back(w.peer_of(i));
  for (const int p : peers) w.connect(p);
  const int half = w.peer_of(0, 1);
  w.syn(half);
  w.leave(0);
  w.tick(at(1));  // the request has moved, too
  CHECK_FALSE(w.has(0, half));
  w.leave(1);
  CHECK(w[2].accept_count() == 3);
  CHECK(w.out.resets == 0);
  CHECK(w.ack(half) == verdict::promoted);
  CHECK(w[2].accept_count() == 4);
}

TEST_CASE("migration: a connection that its peer has reset is still marked at the sibling") {
  using l = with<modern, aborted_child<reported>>;
  world<l> w{2};
  w.g.migrate(true);
  w.connect(w.peer_of(0, 0)), w.connect(w.peer_of(0, 1));
  w[0].child_gone(w.key(w.peer_of(0, 0)));
  w.leave(0);
  CHECK(w[1].accept().status == accept_status::aborted);
  CHECK(w[1].accept().status == accept_status::ok);
}

namespace {

struct numbering : recorder<> {
  int next = 0;
  std::vector<four_tuple> made{};
  std::vector<int> reset{};
  std::optional<int> make_child(const handshake& h, const segment&) {
    made.push_back(h.key);
    return next++;
  }
  four_tuple key_of(int h) const { return made[static_cast<std::size_t>(h)]; }
  void reset_child(int h) { reset.push_back(h); }
};

}  // namespace

TEST_CASE("migration with handles of the stack's own") {
  using l = with<modern, child<handles<int>>>;
  world<l, group<l, 4>, numbering> w{2};
  w.g.migrate(true);
  w.connect(w.peer_of(0, 0)), w.connect(w.peer_of(0, 1));
  w.leave(0);
  CHECK(w[1].accept().handle == 0);
  CHECK(w[1].accept().handle == 1);
  CHECK(w.out.reset.empty());
}

TEST_CASE("migration over IPv6, and of records") {
  using l = with<modern, family<ipv6>, child<deferred_child>>;
  world<l> w{2};
  w.g.migrate(true);
  const int p = w.peer_of(0, 0);
  const int q = w.peer_of(0, 1);
  w.connect(p), w.syn(q);
  w.leave(0);
  CHECK(w[1].accept().handle.key == w.key(p));
  CHECK(w.ack(q) == verdict::promoted);
  CHECK(w[1].accept().handle.key == w.key(q));
}

// A whole group at compile time: nothing in it is allowed to be anything else.
constexpr bool migrates_in_a_constant_expression() {
  modern a, b;
  group<modern, 2> g;
  recorder<> out;
  g.join(a, 2), g.join(b, 2);
  g.migrate(true);
  const four_tuple key = test::tuple(0);
  segment s{key.peer(), key.local(), test::C, 0, flag::syn};
  g.receive(s, 0, out);
  s = {key.peer(), key.local(), test::C + 1, out.last().seq + 1, flag::ack};
  modern* const home = g.choose(key);
  g.leave(*home, out);
  g.receive(s, 0, out);
  modern* const sibling = g.choose(key);
  return sibling != home && sibling->accept().handle == key;
}
static_assert(migrates_in_a_constant_expression());

// The cell that a request gives up is the one that it needs.
TEST_CASE("migration where the members share one queue, and that is full") {
  using pool_type = shared_requests<ipv4, 2, tie_order::newest_first>;
  using l = with<modern, requests<borrowed<pool_type>>>;
  pool_type pool{3};
  l a{borrowed<pool_type>{&pool}};
  l b{borrowed<pool_type>{&pool}};
  group<l, 2> g;
  recorder<> out;
  REQUIRE(g.join(a, 8) == join_status::ok);
  for (int i = 0; i < 3; ++i) {
    g.receive(segment{test::tuple(i).peer(), test::tuple(i).local(), test::C, 0, flag::syn}, 0, out);
  }
  REQUIRE(g.join(b, 8) == join_status::ok);
  REQUIRE(g.migrate(true));
  REQUIRE(pool.size() == 3);
  g.leave(a, out);
  CHECK(g.tick(at(1), out).resent == 3);
  CHECK(b.request_count() == 3);
  CHECK(a.request_count() == 0);
  CHECK(g.counters() == group_counters{.migrate_req_success = 3});
}

// A request that moves leaves one budget and enters the other.
TEST_CASE("migration: the books of both budgets are right") {
  using l = with<modern, budget<per_prefix<24, 64>>,
                 admission<in_order<gates::known_request, gates::request_queue, gates::budget>>>;
  world<l> w{2};
  w.g.migrate(true);
  for (int n = 0; n < 3; ++n) w.syn(w.peer_of(0, n));
  REQUIRE(w[0].request_count() > 0);
  const std::uint32_t all = w.g.request_count();
  w.leave(0);
  CHECK(w.ack(w.peer_of(1)) != verdict::not_listening);
  w.tick(at(1));
  CHECK(w[0].request_count() == 0);
  CHECK(w[1].request_count() == all);
  CHECK(w[0].budget_balanced());
  CHECK(w[1].budget_balanced());
}

// found::at_home leaves a request behind and makes a second one; they must not meet in one table.
TEST_CASE("migration: a request that its new home knows already does not come a second time") {
  using l = with<modern, deferral<no_deferral>>;
  world<l, group<l, 4, found::at_home>> w{1};
  w.g.migrate(true);
  w.join(1);
  const int p = w.peer_of(1);
  w.leave(1);
  w.syn(p);  // at 0
  w.now = at(0.5);
  w.join(1);
  w.syn(p);  // and at 1
  REQUIRE(w.g.request_count() == 2);
  w.leave(0);
  CHECK(w.tick(at(1)).forgotten == 1);
  CHECK(w.g.request_count() == 1);
  CHECK(w[1].request_count() == 1);
  CHECK(w.g.counters().migrate_req_failure == 1);
}

// --- cookies

// The group has one stamp (tcp_synq_overflow), the machine one secret. Measured by accident: listeners that had just
// joined took the cookies that others had sent.
TEST_CASE("a cookie is good at every member, also at one that joins later, and after its sender has left") {
  world<preset::linux_6_18> w{2};
  for (int i = 0; i < 3; ++i) w[i].set(tunable::syncookies, 2);
  const int p = w.peer_of(0, 0);
  const int q = w.peer_of(0, 1);
  CHECK(w.syn(p) == verdict::cookie_sent);
  CHECK(w.syn(q) == verdict::cookie_sent);
  w.join(2);
  w.leave(0);
  CHECK(w.ack(p) == verdict::cookie_promoted);
  w.leave(1);
  CHECK(w.ack(q) == verdict::cookie_promoted);
  CHECK(w[2].accept_count() >= 1);
  CHECK(w.ack(99) == verdict::stray);
}

TEST_CASE("a cookie is good at the sibling as soon as it has been sent, with nobody joining in between") {
  world<preset::linux_6_18> w{2};
  w[0].set(tunable::syncookies, 2);
  const int p = w.peer_of(0);
  CHECK(w.syn(p) == verdict::cookie_sent);
  w.leave(0);
  CHECK(w.ack(p) == verdict::cookie_promoted);
}

// --- wake-ups

TEST_CASE("wake-ups: one for each connection as long as somebody waits, and none in vain") {
  world<modern> w{2};
  w.g.waits(w[0], 2);
  w.connect(w.peer_of(0, 0));
  CHECK(w.g.counters().wakeups == 1);
  w.connect(w.peer_of(1, 0));  // nobody waits there
  CHECK(w.g.counters().wakeups == 1);
  w.connect(w.peer_of(0, 1)), w.connect(w.peer_of(0, 2));
  CHECK(w.g.counters().wakeups == 2);
  CHECK(w.g.counters().wakeups_in_vain == 0);
}

TEST_CASE("wake-ups: wake_all wakes all, of whom one finds the connection") {
  world<modern, group<modern, 4, found::everywhere, wake_all>> w{1};
  w.g.waits(w[0], 3);
  w.connect(0), w.connect(1), w.connect(2), w.connect(3);
  CHECK(w.g.counters().wakeups == 3 + 2 + 1);
  CHECK(w.g.counters().wakeups_in_vain == 2 + 1);
}

// kernels.md 6, invariant 41.
TEST_CASE("wake-ups: a connection that was handed over wakes, but not in 6.18.24 (CVE-2026-46015)") {
  world<modern> w{2};
  w.g.migrate(true);
  w.g.waits(w[1], 5);
  w.connect(w.peer_of(0, 0)), w.connect(w.peer_of(0, 1)), w.syn(w.peer_of(0, 2));
  const int half = w.peer_of(0, 2);
  w.leave(0);
  CHECK(w.g.counters().wakeups == 2);
  w.ack(half);
  CHECK(w.g.counters().wakeups == 3);
  world<modern, group<modern, 4, found::everywhere, wake_one_except_migrated>> q{2};
  q.g.migrate(true);
  q.g.waits(q[1], 5);
  q.connect(q.peer_of(0, 0));
  q.leave(0);
  CHECK(q[1].accept_count() == 1);
  CHECK(q.g.counters().wakeups == 0);
}

// --- nobody is lost, nobody is there twice

namespace {

template <class L, class G>
void conserve(unsigned seed, bool migrates) {
  CAPTURE(seed);
  CAPTURE(migrates);
  world<L, G> w{2, 3};
  REQUIRE(w.g.migrate(migrates));
  std::mt19937 random{seed};
  std::uint64_t admitted = 0, promoted = 0, gone = 0, accepted = 0, closed = 0, forgotten_by_segment = 0, last_left = 0;
  for (int step = 0; step < 3000; ++step) {
    const int peer = static_cast<int>(random() % 60);
    const int i = static_cast<int>(random() % 4);
    const std::uint32_t before = w.g.request_count();
    w.now += static_cast<duration>(random() % 200) * millisecond;
    switch (random() % 16) {
      default:
        w.syn(peer);
        break;
      case 5:
      case 6:
      case 7:
      case 8:
        w.ack(peer);
        break;
      case 9:
        w.rst(peer);
        break;
      case 10:
        accepted += static_cast<bool>(w[i].accept(w.now));
        w.last = {};
        break;
      case 11:
      case 12:
        gone += w.tick(w.now).forgotten;
        CHECK(w.g.request_count() <= before);
        continue;
      case 13:
        w.join(i, static_cast<int>(random() % 5));
        gone += before - w.g.request_count();
        if (migrates && w.g.size() > 1) REQUIRE(before == w.g.request_count());
        continue;
      case 14:
        closed += w.leave(i).children;
        continue;
    }
    switch (w.last.verdict) {
      case verdict::admitted:
        ++admitted;
        break;
      case verdict::promoted:
        ++promoted;
        break;
      case verdict::request_reset:
      case verdict::request_reset_by_syn:
        ++gone;
        break;
      default:
        break;
    }
    // A request of a listener that has left ends when its segment goes elsewhere; with migration, only if there is no
    // elsewhere.
    const std::int64_t moves = w.last.verdict == verdict::admitted ? 1
                               : w.last.verdict == verdict::promoted || w.last.verdict == verdict::request_reset ||
                                       w.last.verdict == verdict::request_reset_by_syn
                                   ? -1
                                   : 0;
    forgotten_by_segment +=
        static_cast<std::uint64_t>(std::int64_t{before} + moves - std::int64_t{w.g.request_count()});
    last_left = w.g.size() == 0 ? forgotten_by_segment : last_left;
    w.last = {};
    std::multiset<int> seen;
    for (int m = 0; m < 4; ++m) {
      w[m].for_each_request([&](const auto& r) { seen.insert(r.key.peer_port); });
    }
    for (const int port : seen) REQUIRE(seen.count(port) == 1);
    REQUIRE(admitted == promoted + gone + forgotten_by_segment + w.g.request_count());
    REQUIRE(promoted == accepted + closed + w.g.accept_count());
    if (migrates) REQUIRE(forgotten_by_segment <= last_left);
  }
  CHECK(admitted > 150);
  CHECK(promoted > 50);
  CHECK(w.out.resets == closed);
  if (migrates) CHECK(w.g.counters().migrate_req_success > 20);
}

}  // namespace

// kernels.md 6, invariants 11, 12 and 40.
TEST_CASE("a thousand changes: no request is there twice, none is lost, every connection comes out or is reset") {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    conserve<modern, group<modern, 4>>(seed, false);
    conserve<modern, group<modern, 4>>(seed, true);
  }
  using v6 = with<modern, family<ipv6>>;
  conserve<v6, group<v6, 4>>(7, true);
}
