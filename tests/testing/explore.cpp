// SPDX-License-Identifier: BSL-1.0
// testing/explore.hpp and small_world.hpp: worlds small enough to count by hand, worlds with a planted fault, and the
// third client of the articles.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/testing/explore.hpp>
#include <set>
#include <string>

using namespace listenq;
using namespace listenq::testing;

namespace {

/// As Linux 3.12 answers, as far as it matters here: two requests may be young while the accept queue is full.
template <class... Options>
using door_3_12 =
    listener<accept_full_at_syn<drop_if_young<1>>, accept_full_at_ack<abort_if_tuned>, sizing<pipeline<exactly<8>>>,
             isn<fixed_isn<5000>>, schedule<doubling<second, 1>>, Options...>;

std::string way(const std::optional<world_trace>& t) { return t ? to_text(*t) : "no way"; }

/// Every sequence of at most `depth` moves, one after the other, with nothing merged.
template <class World>
void walk(const World& w, unsigned depth, std::set<std::uint64_t>& seen) {
  seen.insert(w.fingerprint());
  if (depth == 0) return;
  w.for_each_move([&](const world_move& m) {
    World next = w;
    next.make(m);
    walk(next, depth - 1, seen);
  });
}

/// A fault: it lets one more connection wait than it says.
struct one_too_many {
  static constexpr bool full(queue_lengths q, std::uint32_t n) noexcept { return q.accepted > n + 1; }
  static constexpr std::uint32_t capacity(std::uint32_t n) noexcept { return n + 2; }
};

}  // namespace

// Moves that are forgotten, or states that are counted twice: this world is small enough to be drawn.
TEST_CASE("one client and a request that is never repeated: nine states") {
  //   idle, SYN, request and SYN-ACK, request and ACK, waiting;
  //   and where the request dies on the way: SYN-ACK alone, ACK alone, RST, refused
  using door = listener<schedule<fixed_lifetime<second>>, isn<fixed_isn<1>>>;
  explore_options o;
  o.world = {.clients = 1};
  const exploration e = explore(door{}, o);
  CHECK(e.complete);
  CHECK(!e.broken);
  CHECK(e.states == 9);
  CHECK(e.depth == 6);
  CHECK(!e.stranded[0]);
}

// A search that stops early, or merges states that are not the same: then fewer are found than by walking every way.
TEST_CASE("exploring finds exactly the states that walking every way finds") {
  for (const std::uint8_t spare : {std::uint8_t{0}, std::uint8_t{1}}) {
    explore_options o;
    o.world = {.clients = 2, .losses = spare, .duplicates = spare, .repeats = spare, .accepts = 1, .closes = spare};
    o.depth = 6;
    std::set<std::uint64_t> seen;
    walk(small_world<door_3_12<>>{door_3_12<>{}, o.world}, o.depth, seen);
    const exploration e = explore(door_3_12<>{}, o);
    CHECK(e.states == seen.size());
    CHECK(e.depth == 6);
    CHECK(!e.complete);
    CHECK(e.transitions >= e.states - 1);
  }
}

// The third client: without a loss, without a fault, connected here and unknown there.
TEST_CASE("listen(1) and three clients: one ends connected here, unknown there, and nothing was lost") {
  explore_options o;
  o.world = {.clients = 3, .backlog = 1};
  const exploration e = explore(door_3_12<>{}, o);
  CHECK(e.complete);
  CHECK(!e.broken);
  for (std::size_t c = 0; c < 3; ++c) {
    REQUIRE(e.stranded[c]);
    CHECK(e.stranded[c]->moves.size() == 14);
  }
  // Its own handshake begins before the others fill the accept queue: one that begins later is not admitted with two
  // young ones waiting, but with one it is.
  const std::string text = way(e.stranded[2]);
  CHECK(text.find("client 3: its SYN arrives: admitted\n") != std::string::npos);
  CHECK(text.find("client 3: receives the SYN-ACK\n") != std::string::npos);
  CHECK(text.find("client 3: its ACK arrives: overflow_kept\n") != std::string::npos);
  const std::string end = "a timer of the listener fires\n";
  CHECK(text.substr(text.size() - end.size()) == end);
}

// The same with tcp_abort_on_overflow: every client learns the truth.
TEST_CASE("abort on overflow strands nobody") {
  door_3_12<> door;
  door.set(tunable::abort_on_overflow, 1);
  explore_options o;
  o.world = {.clients = 3, .backlog = 0};
  const exploration e = explore(door, o);
  CHECK(e.complete);
  for (std::size_t c = 0; c < 3; ++c) CHECK(way(e.stranded[c]) == "no way");
}

// One lost ACK does it, too, even with room: the request dies of old age.
TEST_CASE("a lost ACK strands a client although there is room") {
  explore_options o;
  o.world = {.clients = 1, .backlog = 5, .losses = 1};
  const exploration e = explore(door_3_12<>{}, o);
  CHECK(way(e.stranded[0]) ==
        "client 1: connect()\n"
        "client 1: its SYN arrives: admitted\n"
        "a timer of the listener fires\n"
        "client 1: receives the SYN-ACK\n"
        "client 1: its ACK is lost\n"
        "a timer of the listener fires\n");
}

// A checker that never finds anything.
TEST_CASE("a planted fault is found, by the shortest way") {
  using faulty = door_3_12<waiting<one_too_many>>;
  explore_options o;
  o.world = {.clients = 2, .backlog = 0};
  o.expected.most_waiting = 1;
  const exploration e = explore(faulty{}, o);
  REQUIRE(e.broken);
  CHECK(*e.broken == invariant::waiting_within_bound);
  CHECK(!e.complete);
  CHECK(e.to_broken.moves.size() == 8);
  CHECK(e.to_broken.verdicts.back() == verdict::promoted);
  CHECK(explore(door_3_12<>{}, o).complete);
}

// The reset of a waiting connection at close() that never reaches its client, or a listener that remembers.
TEST_CASE("close resets who waits, and the next listener knows nobody") {
  explore_options o;
  o.world = {.clients = 1, .backlog = 1, .closes = 1};
  const exploration e = explore(door_3_12<>{}, o);
  CHECK(e.complete);
  CHECK(!e.broken);
  CHECK(!e.stranded[0]);
  small_world<door_3_12<>> w{door_3_12<>{}, o.world};
  for (const move_kind k : {move_kind::connect, move_kind::to_server, move_kind::to_client, move_kind::to_server,
                            move_kind::close, move_kind::to_client}) {
    w.make({.kind = k});
  }
  CHECK(w.clients()[0].state == client_state::refused);
  CHECK(!w.door().listening());
}

// A limit that is not kept, or kept in silence.
TEST_CASE("a search that is cut short says so") {
  explore_options o;
  o.world = {.clients = 2};
  o.most_states = 10;
  exploration e = explore(door_3_12<>{}, o);
  CHECK(e.states == 10);
  CHECK(!e.complete);
  o.most_states = 1'000'000;
  o.depth = 3;
  e = explore(door_3_12<>{}, o);
  CHECK(e.depth == 3);
  CHECK(!e.complete);
}
