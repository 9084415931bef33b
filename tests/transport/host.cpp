// SPDX-License-Identifier: BSL-1.0
// transport/host.hpp: who gets a segment, and how long a connection is somebody's.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <listenq/listenq.hpp>
#include <listenq/transport/host.hpp>
#include <listenq/transport/in_memory.hpp>
#include <optional>
#include <string>
#include <vector>

using namespace listenq;

namespace {

struct bench_wire {
  using addressing_type = ipv4;
  struct stored {
    segment s;
    std::string data;
  };
  std::deque<stored> in{};
  std::vector<stored> out{};
  stored current{};
  bool open = true;

  std::optional<segment> receive() {
    if (in.empty()) return std::nullopt;
    current = in.front();
    in.pop_front();
    current.s.payload = {reinterpret_cast<const std::byte*>(current.data.data()), current.data.size()};
    return current.s;
  }
  send_result send(const segment& s) {
    out.push_back({s, std::string(reinterpret_cast<const char*>(s.payload.data), s.payload.size)});
    return send_result::sent;
  }
  bool writable() const { return open; }
  transport_limits limits() const { return {1000}; }
};

using door = listener<child<handles<connection_id>>>;
using host_type = host<bench_wire, door>;

constexpr ipv4::address us = ip(10, 0, 0, 2), them = ip(10, 0, 0, 1);

struct bench {
  bench_wire wire{};
  host_type h;
  instant now = 0;
  seq_number iss = 0;

  explicit bench(const host_options& o = {}) : h(wire, door{}, o) { CHECK(h.listen(80, 4, 0)); }

  // One segment from `port` to ours; what was answered is in `wire.out`.
  void give(std::uint16_t port, flags f, seq_number seq, seq_number ack = 0, const std::string& data = {},
            std::uint16_t to = 80) {
    segment s{{them, port}, {us, to}, seq, ack, f};
    s.window = 60000;
    wire.out.clear();
    wire.in.push_back({s, data});
    h.poll(now);
  }
  const segment& answer() {
    REQUIRE(wire.out.size() == 1);
    return wire.out.front().s;
  }
  void handshake(std::uint16_t port, std::uint16_t to = 80) {
    give(port, flag::syn, 1000, 0, {}, to);
    CHECK(answer().flags == (flag::syn | flag::ack));
    iss = answer().seq;
    give(port, flag::ack, 1001, iss + 1, {}, to);
  }
  connection_id accepted(std::uint16_t port) {
    handshake(port);
    const auto id = h.accept(80, now);
    REQUIRE(id);
    while (h.next_event()) continue;
    return *id;
  }
  std::string read(connection_id id) {
    std::string to(100, '\0');
    to.resize(h.read(id, reinterpret_cast<std::byte*>(to.data()), to.size(), now));
    return to;
  }
  std::size_t send(connection_id id, const std::string& s) {
    return h.send(id, {reinterpret_cast<const std::byte*>(s.data()), s.size()}, now);
  }
};

}  // namespace

TEST_CASE("host: a connection is accepted, told of, read, answered and closed") {
  bench b;
  b.handshake(4000);
  CHECK_FALSE(b.h.next_event());  // it is nobody's yet
  CHECK_FALSE(b.h.accept(81, 0));
  const auto id = b.h.accept(80, 0);
  REQUIRE(id);
  CHECK_FALSE(b.h.accept(80, 0));
  const auto first = b.h.next_event();
  REQUIRE(first);
  CHECK(first->what.has(connection_event::established));
  b.give(4000, flag::ack, 1001, b.iss + 1, "hello");
  const auto next = b.h.next_event();
  REQUIRE(next);
  CHECK(next->id == *id);
  CHECK(next->what == connection_event::readable);
  CHECK_FALSE(b.h.next_event());
  CHECK(b.read(*id) == "hello");
  b.wire.out.clear();
  CHECK(b.send(*id, "hi") == 2);
  CHECK(b.wire.out.at(0).data == "hi");
  b.give(4000, flag::ack, 1006, b.iss + 3);
  b.wire.out.clear();
  b.h.close(*id, 0);
  CHECK(b.answer().flags == (flag::fin | flag::ack));
  b.give(4000, flag::fin | flag::ack, 1006, b.iss + 4);
  CHECK(b.answer().ack == 1007);
  CHECK(b.h.connections() == 1);  // TIME-WAIT
  CHECK(b.h.next_deadline() == 60 * second);
  b.now = 60 * second;
  b.h.poll(b.now);
  CHECK(b.h.connections() == 0);
  CHECK(b.h.find_connection(*id) == nullptr);
  CHECK(b.h.counts().to_listeners == 2);
  CHECK(b.h.counts().to_connections == 3);
  CHECK(b.h.counts().children == 1);
}

// Bug caught: a RST answered by a RST, for ever; a port that answers for its neighbour.
TEST_CASE("host: a port without listener answers with RST, and a RST with nothing") {
  bench b;
  b.give(4000, flag::syn, 1000, 0, {}, 81);
  CHECK(b.answer().flags == (flag::rst | flag::ack));
  CHECK(b.answer().ack == 1001);
  b.give(4000, flag::ack, 1000, 77, {}, 81);
  CHECK(b.answer().flags == flag::rst);
  CHECK(b.answer().seq == 77);
  b.give(4000, flag::rst, 1000, 0, {}, 81);
  CHECK(b.wire.out.empty());
  CHECK(b.h.counts().to_nobody == 3);
  CHECK(b.h.listen(81, 1, 0));
  b.handshake(4000, 81);
  b.handshake(4000, 80);  // another connection: the port is part of the name
  CHECK(b.h.accept(81, 0));
  CHECK(b.h.accept(80, 0));
  CHECK(b.h.connections() == 2);
}

// Bug caught: an unaccepted connection that does not acknowledge (Recv-Q 13 in the kernel), or whose bytes are lost.
TEST_CASE("host: what comes before accept is acknowledged and told of after it") {
  bench b;
  b.handshake(4000);
  b.give(4000, flag::ack, 1001, b.iss + 1, "early");
  CHECK(b.answer().ack == 1006);
  const auto id = b.h.accept(80, 0);
  REQUIRE(id);
  const auto e = b.h.next_event();
  REQUIRE(e);
  CHECK(e->what.has(connection_event::readable));
  CHECK(b.read(*id) == "early");
}

// Bug caught: the handle of a reset connection naming the next one of that four-tuple.
TEST_CASE("host: a connection that is reset while it waits is accepted dead, beside its successor") {
  bench b;
  b.handshake(4000);
  b.give(4000, flag::rst, 1001);
  CHECK(b.h.listener_at(80)->accept_count() == 1);
  b.handshake(4000);
  const auto dead = b.h.accept(80, 0);
  const auto alive = b.h.accept(80, 0);
  REQUIRE(dead);
  REQUIRE(alive);
  CHECK(*dead != *alive);
  CHECK(b.h.find_connection(*dead)->error() == connection_error::reset);
  CHECK(b.h.find_connection(*alive)->state() == connection_state::established);
  b.h.close(*dead, 0);
  CHECK(b.h.find_connection(*dead) == nullptr);
  CHECK(b.h.connections() == 1);
  b.give(4000, flag::ack, 1001, b.iss + 1, "x");
  CHECK(b.read(*alive) == "x");
}

// Bug caught: a slot used again while somebody still holds its old name.
TEST_CASE("host: a name of a connection that is gone names nothing") {
  bench b;
  const connection_id old = b.accepted(4000);
  b.h.abort(old, 0);
  CHECK(b.h.connections() == 0);
  const connection_id fresh = b.accepted(4001);
  CHECK(fresh.slot == old.slot);
  CHECK(b.h.find_connection(old) == nullptr);
  CHECK(b.send(old, "x") == 0);
  b.h.close(old, 0);
  CHECK(b.h.find_connection(fresh)->state() == connection_state::established);
  CHECK(b.h.find_connection({}) == nullptr);
}

// Bug caught: the ISN of a successor below its predecessor's numbers, so that the kernel takes it for an old segment.
TEST_CASE("host: a SYN that ends a TIME-WAIT finds the listener, which takes the ISN that TIME-WAIT chose") {
  bench b;
  const connection_id id = b.accepted(4000);
  b.h.close(id, 0);
  b.give(4000, flag::fin | flag::ack, 1001, b.iss + 2);
  b.now = second;
  b.give(4000, flag::syn, 900000);
  CHECK(b.answer().flags == (flag::syn | flag::ack));
  CHECK(b.answer().seq == b.iss + 2 + 65537);
  CHECK(b.h.connections() == 0);
}

TEST_CASE("host: closing a port resets those that wait and leaves those that were accepted") {
  bench b;
  const connection_id mine = b.accepted(4000);
  b.handshake(4001);
  b.wire.out.clear();
  b.h.close_port(80, 0);
  CHECK(b.answer().flags.has(flag::rst));
  CHECK(b.answer().destination.port == 4001);
  CHECK(b.h.find_connection(mine)->state() == connection_state::established);
  CHECK(b.h.connections() == 1);
  b.give(4002, flag::syn, 1);
  CHECK(b.answer().flags.has(flag::rst));
}

TEST_CASE("host: beyond its limit it makes no child, and the listener says so") {
  bench b(host_options{.max_connections = 1});
  b.handshake(4000);
  b.handshake(4001);
  CHECK(b.h.connections() == 1);
  CHECK(b.h.counts().refused == 1);
  CHECK(b.h.listener_at(80)->accept_count() == 1);
}

// Bug caught: a child that sends more in a segment than the wire can carry.
TEST_CASE("host: a connection sends no more in a segment than fits the wire") {
  bench b;
  segment s{{them, 4000}, {us, 80}, 1000, 0, flag::syn};
  s.options.mss = 9000;
  s.window = 60000;
  b.wire.in.push_back({s, {}});
  b.h.poll(0);
  b.give(4000, flag::ack, 1001, b.wire.out.at(0).s.seq + 1);
  const auto id = b.h.accept(80, 0);
  REQUIRE(id);
  b.wire.out.clear();
  b.send(*id, std::string(3000, 'x'));
  REQUIRE_FALSE(b.wire.out.empty());
  CHECK(b.wire.out.at(0).data.size() == 1000);
}

TEST_CASE("host: poll reads as many as it is told, nothing while no answer fits, and fires what is due") {
  bench b;
  for (std::uint16_t p = 0; p < 3; ++p) b.wire.in.push_back({segment{{them, p}, {us, 80}, 1000, 0, flag::syn}, {}});
  CHECK(b.h.poll(0, 2) == 2);
  CHECK(b.wire.out.size() == 2);
  b.wire.open = false;
  CHECK(b.h.poll(0) == 0);
  b.wire.open = true;
  CHECK(b.h.poll(0) == 1);
  CHECK(b.h.next_deadline() == second);
  b.wire.out.clear();
  b.h.poll(second);
  CHECK(b.wire.out.size() == 3);  // SYN-ACKs again
}

// --- what the listener is told of an arrival: TIME-WAIT's ISN, proven peers

namespace {

using guarded = listener<child<handles<connection_id>>, cookies<no_cookies>,
                         tunables<defaults<tuned<tunable::max_syn_backlog, 8>, tuned<tunable::syncookies, 0>>>>;

/// A host in a network of its own, and a port from which anything can be sent.
struct networked {
  network net{};
  network::port server{};
  network::port client{};
  std::vector<network::port> silent{};  ///< where answers go that nobody reads: a closed port would send RSTs
  std::optional<host<network::port, guarded>> h{};
  seq_number iss = 0;
  std::vector<segment> answers{};

  explicit networked(int backlog, const host_options& o = {}) {
    net.add_host(us), net.add_host(them);
    server = net.bind(us, 80).port;
    client = net.bind(them, 4000).port;
    for (std::uint16_t p = 5000; p < 5008; ++p) silent.push_back(net.bind(them, p).port);
    h.emplace(server, guarded{}, o);
    REQUIRE(h->listen(80, backlog, 0));
  }
  /// Sends one segment and lets a millisecond pass.
  void give(flags f, seq_number seq, seq_number ack = 0, std::uint32_t stamp = 0, std::uint16_t from = 4000) {
    segment s{{them, from}, {us, 80}, seq, ack, f};
    s.window = 60000;
    s.options.timestamps = stamp != 0;
    s.options.ts_value = stamp;
    client.send(s);
    pass(millisecond);
  }
  void pass(duration d) {
    for (const instant end = net.now() + d; net.now() < end;) {
      const auto due = h->next_deadline();
      net.run_until(due && *due < end ? std::max(*due, net.now()) : end);
      h->poll(net.now());
      if (due && *due <= net.now()) continue;
    }
    net.run_until(net.now());
    answers.clear();
    while (const auto s = client.receive()) answers.push_back(*s);
  }
  /// A connection from its SYN to TIME-WAIT, which the server enters because it closes first. Its last number.
  seq_number to_time_wait(seq_number isn, std::uint32_t stamp = 0) {
    give(flag::syn, isn, 0, stamp);
    REQUIRE(answers.size() == 1);
    iss = answers[0].seq;
    give(flag::ack, isn + 1, iss + 1, stamp);
    const auto id = h->accept(80, net.now());
    REQUIRE(id);
    h->close(*id, net.now());
    pass(millisecond);
    give(flag::fin | flag::ack, isn + 1, iss + 2, stamp);
    REQUIRE(h->connections() == 1);
    return iss + 2;
  }
};

}  // namespace

// tcp_timewait_state_process: tw_snd_nxt + 65535 + 2. The listener takes it, full or not (quirk 16).
TEST_CASE("host: in a network a SYN opens a TIME-WAIT four-tuple again, with the ISN that TIME-WAIT chose") {
  networked n{0};
  const seq_number next = n.to_time_wait(1000);
  n.give(flag::syn, 7, 0, 0, 5000);  // the request queue of listen(0) is full now
  REQUIRE(n.h->listener_at(80)->request_full());
  n.give(flag::syn, 5000);
  REQUIRE(n.answers.size() == 1);
  CHECK(n.answers[0].flags == (flag::syn | flag::ack));
  CHECK(n.answers[0].seq == next + 65537);
  CHECK(n.answers[0].ack == 5001);
  CHECK(n.h->connections() == 0);
  CHECK(n.h->listener_at(80)->request_count() == 2);
  n.give(flag::ack, 5001, next + 65538);
  CHECK(n.h->accept(80, n.net.now()));
}

TEST_CASE("host: a SYN from before the end of a TIME-WAIT opens nothing; with a later timestamp it does") {
  networked n{4};
  const seq_number next = n.to_time_wait(1000);
  n.give(flag::syn, 900);
  REQUIRE(n.answers.size() == 1);
  CHECK(n.answers[0].flags == flag::ack);
  CHECK(n.h->connections() == 1);
  CHECK(n.h->listener_at(80)->request_count() == 0);
  n.give(flag::syn, 1002);  // rcv_nxt itself is not after it
  CHECK(n.h->listener_at(80)->request_count() == 0);
  n.give(flag::syn, 1003);
  CHECK(n.h->listener_at(80)->request_count() == 1);
  CHECK(n.answers.at(0).seq == next + 65537);
  networked stamped{4};
  const seq_number end = stamped.to_time_wait(1000, 50);
  stamped.give(flag::syn, 900, 0, 49);
  CHECK(stamped.h->listener_at(80)->request_count() == 0);
  stamped.pass(second);
  stamped.give(flag::syn, 900, 0, 51);
  CHECK(stamped.h->listener_at(80)->request_count() == 1);
  CHECK(stamped.answers.at(0).seq == end + 65537);
}

TEST_CASE("host: after 60 s TIME-WAIT is over, and the next ISN is an ordinary one") {
  networked n{4};
  const seq_number next = n.to_time_wait(1000);
  n.pass(61 * second);
  CHECK(n.h->connections() == 0);
  n.give(flag::syn, 5000);
  CHECK(n.answers.at(0).seq != next + 65537);
}

// With cookies off the last quarter is for peers that have been here (kernels.md 2.2, the 3/4 rule).
TEST_CASE("host: a peer that has finished a handshake is proven, and gets the last quarter; others do not") {
  const auto admitted = [](std::size_t remembered, bool has_been_here) {
    networked n{7, {.proven_peers = remembered}};
    if (has_been_here) {
      n.give(flag::syn, 1);
      n.give(flag::rst, 2);  // not a handshake
      n.give(flag::syn, 1);
      n.give(flag::ack, 2, n.answers.at(0).seq + 1);
      n.h->accept(80, n.net.now());
    }
    for (std::uint16_t p = 5000; p < 5008; ++p) n.give(flag::syn, 1, 0, 0, p);
    return n.h->listener_at(80)->request_count();
  };
  CHECK(admitted(8, true) == 8);
  CHECK(admitted(8, false) == 7);
  CHECK(admitted(0, true) == 7);
}

TEST_CASE("host: a handshake that was not finished proves nobody") {
  networked n{7};
  n.give(flag::syn, 1);
  n.give(flag::rst, 2);
  for (std::uint16_t p = 5000; p < 5008; ++p) n.give(flag::syn, 1, 0, 0, p);
  CHECK(n.h->listener_at(80)->request_count() == 7);
}
