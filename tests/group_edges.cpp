// SPDX-License-Identifier: BSL-1.0
// group.hpp: places in the order, sums over members, and what a hand-over may not touch. The rules as measured are in
// group.cpp.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
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

// --- what nobody should ever need -----------------------------------------------------------------------------------

// A null member that is followed.
TEST_CASE("a group without members chooses nobody and knows no request") {
  group<modern, 2> g;
  CHECK(g.choose(test::tuple(0)) == nullptr);
  CHECK(g.unreachable(test::tuple(0), 0, 0) == icmp_verdict::no_request);
  CHECK_FALSE(g.next_deadline().has_value());
}

TEST_CASE("a listener that the shared budget refuses cannot join, and is told so") {
  using l = with<modern, budget<shared_budget<>>,
                 admission<in_order<gates::known_request, gates::request_queue, gates::budget>>>;
  slot_pool<> slots{4};
  l refused{shared_budget<>{&slots, 5}};
  l granted{shared_budget<>{&slots, 4}};
  group<l, 2> g;
  CHECK(g.join(refused, 4) == join_status::no_share);
  CHECK(g.size() + g.left() == 0);
  CHECK_FALSE(refused.listening());
  CHECK(g.join(granted, 4) == join_status::ok);
}

// Taken for a newcomer that failed, it would be counted out: the group would have a place less than none.
TEST_CASE("a member that asks for more than there is room for stays a member") {
  team<with<modern, storage<fixed<100, 8>>>> t{2, 3};  // 4 connections each
  REQUIRE(t.g.migrate(true));
  const auto limit = t[0].request_limit();
  CHECK(t.g.join(t[0], 4) == join_status::storage_too_small);
  CHECK(t[0].backlog() == 3);  // and with more, its siblings could not take over what waits
  CHECK(t[0].request_limit() == limit);
  CHECK(t.g.size() == 2);
  CHECK(t.g.left() == 0);
  CHECK(t[0].listening());
  CHECK(t.g.choose(t.key(t.peer_of(0))) == &t[0]);
}

// One more than needed, and a block that was measured for the group is too small for it.
TEST_CASE("migration works with exactly the room for what waits at all, and not with one less") {
  team<with<modern, storage<fixed<24, 8>>>> exact_room{2, 3};  // 4 connections each, 4 requests and 8 to spare
  CHECK(exact_room.g.migrate(true));
  team<with<modern, storage<fixed<23, 8>>>> few_requests{2, 3};
  CHECK_FALSE(few_requests.g.migrate(true));
  team<with<modern, storage<fixed<24, 7>>>> few_connections{2, 3};
  CHECK_FALSE(few_connections.g.migrate(true));
}

// Counted by its limit, it would promise room that is taken.
TEST_CASE("migration: who has taken over more than its limit is counted with what it has") {
  team<with<modern, storage<fixed<20, 100>>>> t{2, 1};  // 2 requests and 8 to spare, each
  REQUIRE(t[0].request_limit() == 2);
  REQUIRE(t.g.migrate(true));
  for (const int peer : {t.peer_of(0, 0), t.peer_of(0, 1), t.peer_of(1, 0), t.peer_of(1, 1)}) {
    REQUIRE(t.syn(peer) == verdict::admitted);
  }
  t.g.leave(t[0], t.out);
  t.g.tick(at(1), t.out);
  REQUIRE(t[1].request_count() == 4);
  CHECK(t.g.join(t[0], 1, at(1)) == join_status::storage_too_small);
  CHECK_FALSE(t[0].listening());
}

namespace {

// Says yes to whatever is asked of it, and has room for a few.
struct boastful {
  [[maybe_unused]] static constexpr const char* name = "boastful";
  template <class T, stored>
  class array {
   public:
    bool reserve(std::size_t n, boastful&) noexcept {
      promised_ = n;
      return true;
    }
    std::size_t capacity() const noexcept { return promised_; }
    std::size_t most(const boastful&) const noexcept { return 0xffffffffU; }
    T& operator[](std::size_t i) noexcept { return items_[i]; }
    const T& operator[](std::size_t i) const noexcept { return items_[i]; }

   private:
    std::array<T, 64> items_{};
    std::size_t promised_ = 0;
  };
};

}  // namespace

// A sum in 32 bits: so many requests, or connections, would be taken for a few.
TEST_CASE("migration is refused where the requests or the connections of all are more than 2^31 - 1") {
  using pool_type = shared_requests<ipv4, 2, tie_order::newest_first>;
  using many_requests = with<modern, requests<borrowed<pool_type>>, sizing<pipeline<exactly<0x60000000>>>>;
  pool_type pool{8};
  many_requests a{borrowed<pool_type>{&pool}};
  many_requests b{borrowed<pool_type>{&pool}};
  group<many_requests, 2> requests_of_all;
  REQUIRE(requests_of_all.join(a, 4) == join_status::ok);
  CHECK(requests_of_all.migrate(true));
  REQUIRE(requests_of_all.migrate(false));
  REQUIRE(requests_of_all.join(b, 4) == join_status::ok);
  CHECK_FALSE(requests_of_all.migrate(true));

  using many_connections = with<modern, storage<boastful>, clamp<as_is>, sizing<pipeline<exactly<4>>>>;
  team<many_connections> connections_of_all{1, 0x60000000};
  CHECK(connections_of_all.g.migrate(true));
  REQUIRE(connections_of_all.g.migrate(false));
  REQUIRE(connections_of_all.g.join(connections_of_all[1], 0x60000000) == join_status::ok);
  CHECK_FALSE(connections_of_all.g.migrate(true));
}

// --- who has no room for what is handed over
// --------------------------------------------------------------------------

// A member's own listen() raises its backlog behind the group's back: a lost connection would be counted as moved, and
// the one that does not fit would keep the others from being asked about.
TEST_CASE("migration: a connection that its sibling has no room for is reset and a failure, and the others still go") {
  using l = with<modern, storage<fixed<100, 12>>>;
  team<l> t{3, 3};  // 4 connections each
  REQUIRE(t.g.migrate(true));
  REQUIRE(t[1].listen(11));
  team<l> later{3, 3};
  later.g.leave(later[1], later.out);
  // The `n`-th peer of member 1 that goes to `next` when it leaves.
  const auto peer = [&](int next, int n) {
    for (int k = 0;; ++k) {
      if (later.g.choose(t.key(t.peer_of(1, k))) == &later[next] && n-- == 0) return t.peer_of(1, k);
    }
  };
  const auto connect = [&t](int p) { return t.syn(p) == verdict::admitted && t.ack(p) == verdict::promoted; };
  for (int n = 0; n < 4; ++n) REQUIRE(connect(t.peer_of(0, n)));
  for (int n = 0; n < 9; ++n) REQUIRE(connect(peer(0, n)));
  REQUIRE(connect(peer(2, 0)));
  CHECK(t.g.leave(t[1], t.out).children == 1);
  CHECK(t[0].accept_count() == 12);
  CHECK(t[2].accept_count() == 1);
  CHECK(t.out.resets == 1);
  CHECK(t.g.counters() == group_counters{.migrate_req_success = 9, .migrate_req_failure = 1});
}

TEST_CASE("migration: a request whose new home has no room ends with its segment, as a failure") {
  using pool_type = shared_requests<ipv4, 2, tie_order::newest_first>;
  using l = with<modern, requests<borrowed<pool_type>>>;
  pool_type large{8};
  pool_type small{1};
  l a{borrowed<pool_type>{&large}};
  l b{borrowed<pool_type>{&small}};
  group<l, 2> g;
  recorder<> out;
  REQUIRE(g.join(a, 8) == join_status::ok);
  REQUIRE(g.join(b, 8) == join_status::ok);
  REQUIRE(g.migrate(true));
  const auto syn_to = [&](const l& home) {
    int peer = 0;
    while (g.choose(test::tuple(peer)) != &home) ++peer;
    const four_tuple key = test::tuple(peer);
    CHECK(g.receive(segment{key.peer(), key.local(), test::C, 0, flag::syn}, 0, out).verdict == verdict::admitted);
    return key;
  };
  syn_to(b);
  const four_tuple key = syn_to(a);
  const seq_number iss = out.last().seq;
  g.leave(a, out);
  REQUIRE(a.request_count() == 1);
  CHECK(g.receive(segment{key.peer(), key.local(), test::C + 1, iss + 1, flag::ack}, 0, out).verdict == verdict::stray);
  CHECK(a.request_count() == 0);
  CHECK(b.request_count() == 1);
  CHECK(g.counters() == group_counters{.migrate_req_failure = 1});
}

TEST_CASE("migration: a listener that comes back gives a request to no sibling that has one like it, a failure") {
  team<modern, group<modern, 4, found::at_home>> t{2};
  t.g.migrate(true);
  const int peer = t.peer_of(0);
  t.syn(peer);
  t.g.leave(t[0], t.out);
  t.now = at(0.2);
  REQUIRE(t.syn(peer) == verdict::admitted);
  REQUIRE(t.g.request_count() == 2);
  CHECK(t.g.join(t[0], 4, t.now) == join_status::ok);
  CHECK(t.g.request_count() == 1);
  CHECK(t.g.counters() == group_counters{.migrate_req_failure = 1});
}

// --- later
// --------------------------------------------------------------------------------------------------------------

// Whoever is asked after that is asked in vain, out of turn, or loses what is due.
TEST_CASE("once a sink has said later, nobody else is asked, handed over or told the time") {
  team<modern> members{3};
  members.requests(0, 2);
  members.out.patience = members.out.count + 1;
  const std::size_t before = members.out.asked;
  CHECK(members.g.tick(at(1), members.out).later);
  CHECK(members.out.asked == before + 2);

  team<modern> t{3};
  t.g.migrate(true);
  const int first = t.peer_of(1, 0), second_one = t.peer_of(1, 1), other = t.peer_of(0);
  t.syn(other), t.syn(first), t.syn(second_one);
  t.g.leave(t[0], t.out);
  t.g.leave(t[1], t.out);  // the last to leave is the first to be asked
  t.out.patience = t.out.count;
  const std::size_t asked = t.out.asked;
  const tick_summary sum = t.g.tick(at(1), t.out);
  CHECK(sum.later);
  CHECK(sum.timers == 0);
  CHECK(t.out.asked == asked + 1);
  CHECK(t[1].request_count() == 1);  // one of the two has moved, and is still due
  CHECK(t.has(0, other));
  t.out.patience = ~std::size_t{0};
  CHECK(t.g.tick(at(0.5), t.out).resent == 2);
  CHECK(t.has(0, other));  // for it, no more time has passed than that
  CHECK(t.g.tick(at(1), t.out).resent == 1);
  CHECK(t[2].request_count() == 3);
}

// A walk that stops at the first, does not stop, or takes whoever is first for due.
TEST_CASE("under a hand, too, a request on leave is handed over when it is due, whatever its place") {
  using old = with<preset::linux_3_12, cookies<no_cookies>, closing<leave_to_timer>>;
  team<old> t{2};
  t.g.migrate(true);
  const int gone = t.peer_of(0, 0), early = t.peer_of(0, 1), late = t.peer_of(0, 2);
  t.syn(gone);
  t.now = at(0.1);
  t.syn(early);
  t.now = at(0.2);
  t.send(gone, flag::rst, 1, 0);
  t.now = at(0.5);
  t.syn(late);  // in the place of the first one
  REQUIRE(t[0].request_count() == 2);
  t.g.leave(t[0], t.out, t.now);
  t.g.tick(at(0.9), t.out);
  CHECK(t[0].request_count() == 2);
  CHECK(t.g.counters() == group_counters{});
  t.g.tick(at(1.1), t.out);
  CHECK(t.has(1, early));
  CHECK(t.has(0, late));
  t.g.tick(at(1.5), t.out);
  CHECK(t.has(1, late));
  CHECK(t.g.counters() == group_counters{.migrate_req_success = 2});
}

// A waiter without a member would be written behind the last one.
TEST_CASE("who is no member has no callers") {
  group<modern, 2> g;
  modern stranger;
  modern member;
  recorder<> out;
  g.waits(stranger, 3);
  REQUIRE(g.join(member, 4) == join_status::ok);
  g.waits(stranger, 3);
  segment s{test::tuple(0).peer(), test::tuple(0).local(), test::C, 0, flag::syn};
  g.receive(s, 0, out);
  s.flags = flag::ack, s.seq = test::C + 1, s.ack = member.find_request(test::tuple(0))->iss + 1;
  REQUIRE(g.receive(s, 0, out).verdict == verdict::promoted);
  CHECK(g.counters() == group_counters{});
}
