// SPDX-License-Identifier: BSL-1.0
// group.hpp: places in the order, sums over members, and what a hand-over may not touch. The rules as measured are in
// group.cpp.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <listenq/group.hpp>
#include <listenq/mirror.hpp>
#include <listenq/policy/cookie/freebsd_13.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::recorder;

namespace {

using modern = with<preset::linux_6_18, cookies<no_cookies>>;

// A group, its listeners, and peers of theirs.
template <class L, class G = group<L, 4>>
struct team {
  std::array<L, 5> member;
  G g{};
  recorder<> out{};
  instant now = 0;
  outcome last{};

  explicit team(int n, int backlog = 4) {
    for (int i = 0; i < n; ++i) REQUIRE(g.join((*this)[i], backlog) == join_status::ok);
  }
  L& operator[](int i) { return member[static_cast<std::size_t>(i)]; }
  static auto key(int peer) { return test::tuple(peer); }
  verdict send(int peer, flags f, seq_number seq, seq_number ack) {
    segment s;
    s.source = key(peer).peer();
    s.destination = key(peer).local();
    s.flags = f, s.seq = test::C + seq, s.ack = ack;
    last = g.receive(s, now, out);
    return last.verdict;
  }
  verdict syn(int peer) { return send(peer, flag::syn, 0, 0); }
  verdict ack(int peer) { return send(peer, flag::ack, 1, iss(peer) + 1); }
  seq_number iss(int peer) {
    for (auto& l : member) {
      if (const auto* r = l.find_request(key(peer))) return r->iss;
    }
    return 0;
  }
  bool has(int i, int peer) { return (*this)[i].find_request(key(peer)) != nullptr; }
  // The `n`-th peer whose home is member `i` now.
  int peer_of(int i, int n = 0) {
    for (int peer = 0;; ++peer) {
      if (g.choose(key(peer)) == &(*this)[i] && n-- == 0) return peer;
    }
  }
  // A request for each of members `first` to `last`; the first peer of each.
  std::array<int, 5> requests(int first, int last_member) {
    std::array<int, 5> peers{};
    for (int i = first; i <= last_member; ++i) peers[static_cast<std::size_t>(i)] = peer_of(i);
    for (int i = first; i <= last_member; ++i) syn(peers[static_cast<std::size_t>(i)]);
    return peers;
  }
};

}  // namespace

// --- places -------------------------------------------------------------------------------------------------------

// A listener that has left taken for a member: newcomers would meet a closed port while others listen.
TEST_CASE("who joins or comes back while others are on leave is chosen, and who is on leave is not") {
  team<modern> t{3};
  t.requests(0, 2);
  t.g.leave(t[0], t.out);
  t.g.leave(t[1], t.out);
  REQUIRE(t.g.left() == 2);
  const auto chosen = [&t](int i) {
    int n = 0;
    for (int peer = 100; peer < 160; ++peer) n += t.g.choose(t.key(peer)) == &t[i];
    return n;
  };
  t.g.join(t[3], 4);
  CHECK(chosen(3) > 0);
  CHECK(chosen(2) + chosen(3) == 60);
  t.g.join(t[0], 4);
  CHECK(chosen(0) > 0);
  CHECK(chosen(0) + chosen(2) + chosen(3) == 60);
  t.g.join(t[1], 4);
  CHECK(chosen(1) > 0);
  CHECK(t.g.size() == 4);
  CHECK(t.g.left() == 0);
}

TEST_CASE("to leave twice is to leave once") {
  team<modern> t{3};
  const auto peers = t.requests(0, 2);
  t.g.leave(t[2], t.out);
  const close_summary again = t.g.leave(t[2], t.out);
  CHECK(again.requests + again.children == 0);
  CHECK(t.g.size() == 2);
  CHECK(t.g.left() == 1);
  CHECK(t[0].listening());
  CHECK(t[1].listening());
  CHECK(t.ack(peers[1]) == verdict::promoted);
}

TEST_CASE("one of two on leave is detached: the other one's requests are still found") {
  team<modern> t{3};
  const auto peers = t.requests(0, 2);
  for (const bool first : {true, false}) {
    team<modern> u{3};
    u.requests(0, 2);
    u.g.leave(u[0], u.out), u.g.leave(u[1], u.out);
    CHECK(u.g.detach(u[first ? 0 : 1]));
    CHECK(u.g.left() == 1);
    const int kept = peers[first ? 1 : 0];
    CHECK(u.g.unreachable(u.key(kept), u.iss(kept), 0) == icmp_verdict::ended);
  }
}

TEST_CASE("a place is taken from an idle listener on leave only when there is no other") {
  team<modern, group<modern, 3>> t{2};
  t.g.leave(t[0], t.out);
  CHECK(t.g.join(t[1], 9) == join_status::ok);
  CHECK(t.g.join(t[2], 4) == join_status::ok);
  CHECK(t.g.left() == 1);  // full now
  CHECK(t.g.join(t[1], 5) == join_status::ok);
  CHECK(t.g.left() == 1);  // a member that listens again needs no place
  CHECK(t.g.join(t[3], 4) == join_status::ok);
  CHECK(t.g.left() == 0);
  team<modern, group<modern, 1>> single{1};
  single.g.leave(single[0], single.out);
  CHECK(single.g.join(single[1], 4) == join_status::ok);
  CHECK(single.g.size() == 1);
}

// --- sums ---------------------------------------------------------------------------------------------------------

TEST_CASE("a tick of the group is a tick of each, and its summary the sum of theirs") {
  team<modern> t{3};
  const auto peers = t.requests(0, 2);
  const tick_summary sum = t.g.tick(at(1), t.out);
  CHECK(sum.timers == 3);
  CHECK(sum.resent == 3);
  CHECK(sum.forgotten == 0);
  CHECK(!sum.later);
  for (int i = 0; i < 3; ++i) CHECK(t[i].find_request(t.key(peers[static_cast<std::size_t>(i)]))->timeouts == 1);
  t.g.leave(t[0], t.out, at(1));
  const tick_summary next = t.g.tick(at(3), t.out);
  CHECK(next.timers == 3);
  CHECK(next.resent == 2);
  CHECK(next.forgotten == 1);
}

TEST_CASE("a sink that says later to a member says it to the group, and the rest stays due") {
  team<modern> t{3};
  t.requests(0, 2);
  t.out.patience = t.out.count + 1;
  const tick_summary sum = t.g.tick(at(1), t.out);
  CHECK(sum.later);
  CHECK(sum.timers == 1);
  t.out.patience = ~std::size_t{0};
  CHECK(t.g.tick(at(1), t.out).timers == 2);
}

TEST_CASE("the group's next deadline is the earliest of its members', wherever that is") {
  for (int early = 0; early < 3; ++early) {
    team<modern> t{3};
    const int soon = t.peer_of(early);
    const int late = t.peer_of((early + 1) % 3);
    t.now = at(2);
    t.syn(soon);
    t.now = at(2.5);
    t.syn(late);
    CHECK(t.g.next_deadline() == at(3));
  }
}

// --- joining and migration ----------------------------------------------------------------------------------------

TEST_CASE("a backlog that is changed moves nobody") {
  team<modern> t{2};
  REQUIRE(t.g.migrate(true));
  const auto peers = t.requests(0, 1);
  CHECK(t.g.join(t[0], 9) == join_status::ok);
  CHECK(t.has(0, peers[0]));
  CHECK(t.g.counters() == group_counters{});
}

TEST_CASE("who comes back without migration has forgotten its requests, with migration they are at its sibling") {
  for (const bool migrates : {false, true}) {
    CAPTURE(migrates);
    team<modern> t{2};
    t.g.migrate(migrates);
    const auto peers = t.requests(0, 1);
    t.g.leave(t[0], t.out);
    CHECK(t.g.join(t[0], 4) == join_status::ok);
    CHECK(!t.has(0, peers[0]));
    CHECK(t.has(1, peers[0]) == migrates);
    CHECK(t.g.counters().migrate_req_success == (migrates ? 1 : 0));
  }
}

TEST_CASE("the last one leaves and comes back: there was nobody to hand over to") {
  team<modern> t{1};
  t.g.migrate(true);
  t.requests(0, 0);
  t.g.leave(t[0], t.out);
  CHECK(t.g.join(t[0], 4) == join_status::ok);
  CHECK(t.g.request_count() == 0);
  CHECK(t.g.counters() == group_counters{});
}

TEST_CASE("what a newcomer has left of an earlier life is nobody's in the group") {
  team<modern> t{1};
  t.g.migrate(true);
  test::script<modern> other{3};
  other.syn(0);
  other.listener.close(other.out, 0);
  CHECK(t.g.join(other.listener, 4) == join_status::ok);
  CHECK(t.g.request_count() == 0);
  CHECK(t.g.counters() == group_counters{});
  t.g.leave(other.listener, t.out);
  t.g.detach(other.listener);
}

// Requests and connections each need the room of all.
TEST_CASE("migration asks for room for all requests, and for all connections") {
  team<with<modern, storage<fixed<30, 100>>>> few_requests{2};  // each wants 5 and 8 to spare
  CHECK(few_requests.g.migrate(true));
  CHECK(few_requests.g.join(few_requests[2], 4) == join_status::storage_too_small);
  team<with<modern, storage<fixed<1000, 11>>>> few_connections{2};  // each wants 5
  CHECK(few_connections.g.migrate(true));
  CHECK(few_connections.g.join(few_connections[2], 4) == join_status::storage_too_small);
}

TEST_CASE("a request on leave is handed over when it is due, not before, and its next timeout counts from then") {
  team<modern> t{2};
  t.g.migrate(true);
  const int peer = t.peer_of(0);
  t.syn(peer);
  t.g.leave(t[0], t.out);
  t.g.tick(at(0.5), t.out);
  CHECK(t.has(0, peer));
  CHECK(t.g.counters() == group_counters{});
  t.g.tick(at(1), t.out);
  CHECK(t.has(1, peer));
  CHECK(t.g.next_deadline() == at(3));
}

// It cannot be in two places of one listener.
TEST_CASE("a request on leave whose peer has begun anew at its home ends when it is due, as a failure") {
  team<modern, group<modern, 4, found::at_home>> t{2};
  t.g.migrate(true);
  const int peer = t.peer_of(0);
  t.syn(peer);
  t.g.leave(t[0], t.out);
  t.now = at(0.5);
  CHECK(t.syn(peer) == verdict::admitted);
  REQUIRE(t.has(0, peer));
  REQUIRE(t.has(1, peer));
  const tick_summary sum = t.g.tick(at(1), t.out);
  CHECK(sum.timers == 1);
  CHECK(sum.forgotten == 1);
  CHECK(!t.has(0, peer));
  CHECK(t.has(1, peer));
  CHECK(t.g.counters().migrate_req_failure == 1);
  CHECK(t.g.counters().migrate_req_success == 0);
}

TEST_CASE("a sibling that forgets the request for want of room is a failure, too") {
  team<with<modern, accept_full_at_ack<forget>, accept_full_at_syn<admit>>> t{2, 0};
  t.g.migrate(true);
  const int peer = t.peer_of(0), busy = t.peer_of(1);
  t.syn(peer), t.syn(busy);
  t.ack(busy);
  t.g.leave(t[0], t.out);
  CHECK(t.ack(peer) == verdict::overflow_forgotten);
  CHECK(t.g.counters().migrate_req_failure == 1);
}

TEST_CASE("under a hand: a request that goes back to its own listener is due when its timer says") {
  using old = with<preset::linux_3_12, cookies<no_cookies>, closing<leave_to_timer>>;
  team<old> t{2};
  t.g.migrate(true);
  const int peer = t.peer_of(0);
  t.syn(peer);
  t.g.leave(t[0], t.out);
  t.now = at(0.5);
  CHECK(t.syn(peer) == verdict::duplicate_syn);  // judged by the sibling, and its timer starts again
  CHECK(t.has(0, peer));
  CHECK(t.g.next_deadline() == at(1.5));
}

// --- cookies ------------------------------------------------------------------------------------------------------

TEST_CASE("a cookie in a stored request's ISS opens the window of every member") {
  using iss = with<preset::linux_6_18,
                   cookies<in_every_iss<freebsd_13_cookie, freebsd_13_cookie::keys, after_cookie<60 * second>>>>;
  team<iss> t{2};
  const int peer = t.peer_of(0);
  CHECK(t.syn(peer) == verdict::admitted);
  const seq_number cookie = t.iss(peer);
  t.g.leave(t[0], t.out);
  t.g.detach(t[0]);
  CHECK(t.send(peer, flag::ack, 1, cookie + 1) == verdict::cookie_promoted);
}

// --- the first and the only member ----------------------------------------------------------------------------------

TEST_CASE("a group of one hears ICMP errors") {
  team<modern> t{1};
  t.syn(0);
  CHECK(t.g.unreachable(t.key(0), t.iss(0), 0) == icmp_verdict::ended);
}

TEST_CASE("the first member, too, gets room for what waits at all, and hears of cookies that others sent") {
  team<modern> t{2, 0};
  t.g.migrate(true);
  for (const int i : {0, 1}) {
    const int peer = t.peer_of(i);
    t.syn(peer);
    CHECK(t.ack(peer) == verdict::promoted);
  }
  t.g.leave(t[1], t.out);
  CHECK(t[0].accept_count() == 2);
  CHECK(t.out.resets == 0);

  using cookies_only = with<preset::linux_6_18, cookies<always<linux_6_18_cookie>>>;
  team<cookies_only> c{2};
  const int peer = c.peer_of(1);
  CHECK(c.syn(peer) == verdict::cookie_sent);
  const seq_number cookie = c.out.last().seq;
  c.g.leave(c[1], c.out);
  CHECK(c.send(peer, flag::ack, 1, cookie + 1) == verdict::cookie_promoted);
}

namespace {

std::array<int, 7> departed{};
struct counting_budget {
  [[maybe_unused]] static constexpr const char* name = "counting_budget";
  template <addressing A>
  static constexpr bool allows(const basic_four_tuple<A>&) noexcept {
    return true;
  }
  template <addressing A>
  static void entered(const basic_four_tuple<A>&) noexcept {}
  template <addressing A>
  static void left(const basic_four_tuple<A>&, departure why) noexcept {
    ++departed[static_cast<std::size_t>(why)];
  }
};

}  // namespace

TEST_CASE("a request that is handed over or forgotten for its peer's new SYN has left because of the close") {
  using l = with<modern, budget<counting_budget>,
                 admission<in_order<gates::known_request, gates::budget, gates::request_queue, gates::accept_queue>>>;
  for (const bool migrates : {false, true}) {
    departed = {};
    team<l> t{2};
    t.g.migrate(migrates);
    const int peer = t.peer_of(0);
    t.syn(peer);
    t.g.leave(t[0], t.out);
    if (migrates) {
      CHECK(t.ack(peer) == verdict::promoted);
    } else {
      t.now = at(0.2);
      t.syn(peer);
    }
    CHECK(departed[static_cast<std::size_t>(departure::closed)] == 1);
    CHECK(departed[static_cast<std::size_t>(departure::send_failed)] == 0);
  }
}
