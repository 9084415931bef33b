// SPDX-License-Identifier: BSL-1.0
// transport/loopback.hpp: two threads, one ring each way. Run it under ThreadSanitizer, too.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/policy/hashing.hpp>
#include <listenq/transport/loopback.hpp>
#include <listenq/transport/pump.hpp>
#include <thread>

using namespace listenq;

static_assert(transport<loopback::end>);
static_assert(transport<basic_loopback<ipv6, 100>::end>);

namespace {

segment numbered(seq_number n) {
  segment s;
  s.seq = n;
  return s;
}

segment from(std::uint16_t port, flags f, seq_number seq, seq_number ack = 0) {
  return {.source = {ip(10, 0, 0, 2), port}, .destination = {ip(10, 0, 0, 1), 80}, .seq = seq, .ack = ack, .flags = f};
}

}  // namespace

// Ends that hear themselves, or an order that is not that of sending.
TEST_CASE("what one end sends, the other receives, in order") {
  loopback wire{4};
  CHECK(!wire.first().receive());
  for (seq_number n = 0; n < 3; ++n) CHECK(wire.first().send(numbered(n)) == send_result::sent);
  CHECK(wire.second().send(numbered(9)) == send_result::sent);
  for (seq_number n = 0; n < 3; ++n) CHECK(wire.second().receive()->seq == n);
  CHECK(!wire.second().receive());
  CHECK(wire.first().receive()->seq == 9);
  CHECK(!wire.first().receive());
}

// A ring that says it has room and then loses the answer, or one that overwrites what nobody has read.
TEST_CASE("a full ring is not writable, and says later") {
  loopback wire{2};
  CHECK(wire.first().writable());
  CHECK(wire.first().send(numbered(0)) == send_result::sent);
  CHECK(wire.first().writable());
  CHECK(wire.first().send(numbered(1)) == send_result::sent);
  CHECK(!wire.first().writable());
  CHECK(wire.first().send(numbered(2)) == send_result::later);
  CHECK(wire.second().receive()->seq == 0);
  CHECK(!wire.first().writable());  // its payload may still be looked at
  CHECK(wire.second().receive()->seq == 1);
  CHECK(wire.first().writable());
  CHECK(loopback{0}.first().writable());
}

// A payload that is overwritten by the next segment before its time, or cut.
TEST_CASE("a payload lives until the next receive; one that is too long fails") {
  basic_loopback<ipv4, 8> wire{2};
  std::array<std::byte, 9> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i + 1);
  segment s = numbered(1);
  s.payload = {bytes.data(), 8};
  CHECK(wire.first().limits().max_payload == 8);
  CHECK(wire.first().send(s) == send_result::sent);
  const auto in = wire.second().receive();
  REQUIRE(in);
  CHECK(wire.first().send(numbered(2)) == send_result::sent);
  REQUIRE(in->payload.size == 8);
  for (std::size_t i = 0; i < 8; ++i) CHECK(in->payload.data[i] == bytes[i]);
  s.payload.size = 9;
  CHECK(wire.first().send(s) == send_result::failed);
}

// Two threads: an index that is read before what it announces was written.
TEST_CASE("five thousand handshakes between two threads, none lost, backed up again and again") {
  constexpr std::uint16_t clients = 5000;
  loopback wire{3};
  std::atomic<bool> done{false};
  std::uint32_t accepted = 0;
  std::thread server{[&] {
    listener<> door;
    door.listen(64);
    while (!done || wire.first().writable()) {
      const std::size_t read = pump(wire.first(), door, 0);
      while (door.accept()) ++accepted;
      if (read == 0) {
        if (done) break;
        std::this_thread::yield();
      }
    }
  }};
  auto& end = wire.second();
  const auto put = [&](const segment& s) {
    while (end.send(s) != send_result::sent) std::this_thread::yield();
  };
  std::uint32_t answered = 0;
  for (std::uint16_t port = 1; port <= clients; ++port) {
    put(from(port, flag::syn, port));
    auto in = end.receive();
    while (!in) {
      std::this_thread::yield();
      in = end.receive();
    }
    answered += in->flags == (flag::syn | flag::ack) && in->ack == port + 1U && in->destination.port == port ? 1 : 0;
    put(from(port, flag::ack, port + 1U, in->seq + 1));
  }
  done = true;
  server.join();
  CHECK(answered == clients);
  CHECK(accepted == clients);
}

// What group.hpp recommends to those who want its members on threads of their own: a listener a thread, a ring to each,
// and whoever reads the wire decides by a hash of the four-tuple. A listener that shares anything with its copies, or a
// handshake whose two halves meet different listeners.
TEST_CASE("shards: three listeners on three threads behind one dispatcher, all handshakes finished") {
  constexpr std::uint16_t clients = 3000;
  constexpr std::size_t shards = 3;
  std::array<loopback, shards> rings{loopback{8}, loopback{8}, loopback{8}};
  std::array<std::uint32_t, shards> accepted{};
  std::atomic<bool> done{false};
  const listener<> prototype;
  std::array<std::thread, shards> threads;
  for (std::size_t i = 0; i < shards; ++i) {
    threads[i] = std::thread{[&, i] {
      listener<> door = prototype;
      door.listen(64);
      for (bool last = false; !last;) {
        last = done;
        if (pump(rings[i].first(), door, 0) == 0) std::this_thread::yield();
        while (door.accept()) ++accepted[i];
      }
    }};
  }
  const siphash<1, 3> spread{{1, 2}};
  const auto ring_of = [&](std::uint16_t port) -> loopback::end& {
    const std::uint32_t word = port;
    return rings[spread.hash(&word, 1) % shards].second();
  };
  const auto put = [](loopback::end& to, const segment& s) {
    while (to.send(s) != send_result::sent) std::this_thread::yield();
  };
  std::uint16_t next = 1;
  std::uint32_t answered = 0;
  while (answered < clients) {
    if (next <= clients && ring_of(next).writable()) {
      put(ring_of(next), from(next, flag::syn, next));
      ++next;
    }
    for (loopback& ring : rings) {
      while (const auto in = ring.second().receive()) {
        const std::uint16_t port = in->destination.port;
        answered += in->flags == (flag::syn | flag::ack) ? 1 : 0;
        put(ring_of(port), from(port, flag::ack, port + 1U, in->seq + 1));
      }
    }
  }
  done = true;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < shards; ++i) {
    threads[i].join();
    CHECK(accepted[i] > clients / shards / 2);
    sum += accepted[i];
  }
  CHECK(sum == clients);
}
