// SPDX-License-Identifier: BSL-1.0
// detail/state.hpp: what is made of the hash of a four-tuple; a child for which there is no room.
#include <doctest/doctest.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <optional>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::script;

namespace {

constexpr siphash_key key{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};

/// SipHash of our address and port in a block of eight bytes, then the peer's, without the zeros at its end.
std::uint64_t hash_of(const four_tuple& t) {
  std::uint8_t bytes[16]{};
  const auto put = [&bytes](std::size_t at, std::uint64_t value) {
    for (std::size_t i = 0; i < 6; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
  };
  put(0, t.local_address.value | std::uint64_t{t.local_port} << 32);
  put(8, t.peer_address.value | std::uint64_t{t.peer_port} << 32);
  return siphash<2, 4>::of_bytes(key, bytes, 14);
}

}  // namespace

// A number off by a constant, or made of the half that everybody sees in the choice of buckets: peers of a listener
// that is restarted, or of another version of it with the same key, would meet numbers that overlap (RFC 6528).
TEST_CASE("the ISS is the upper half of the four-tuple's hash and the clock; the lower half chooses the bucket") {
  using l = with<preset::linux_6_18, sizing<syncache<64, 4>>>;
  script<l> s{8, l{siphash<2, 4>{key}}};
  s.now = at(3);
  for (const int peer : {0, 1, 2, 500}) {
    CAPTURE(peer);
    const std::uint64_t h = hash_of(test::tuple(peer));
    CHECK(s.syn(peer) == verdict::admitted);
    CHECK(s.out.last().seq == static_cast<std::uint32_t>(h >> 32) + 3'000'000 / 4);
    CHECK(s.listener.bucket_of(test::tuple(peer)) == static_cast<std::uint32_t>(h) % 64);
  }
}

// What is kept of the hash for a local side that nobody has come to yet: requests that are stored and never found.
TEST_CASE("the first segment of all is found again even if it is for address 0 and port 0") {
  listener<> door{siphash<2, 4>{key}};
  REQUIRE(door.listen(64));
  null_sink out;
  for (std::uint16_t port = 1; port <= 8; ++port) {
    segment s{.source = {{0x0a000001}, port}};
    s.flags = flag::syn;
    door.receive(s, 0, out);
    CHECK(door.find_request(four_tuple_of(s)) != nullptr);
  }
}

// Shown in the clear, a part of the hash would tell which bucket to fill, or the ISN.
TEST_CASE("the timestamp clock of a peer is shifted by another mix of both halves") {
  script<preset::linux_6_18> s{8, preset::linux_6_18{siphash<2, 4>{key}}};
  s.now = at(3);
  for (const int peer : {0, 1, 2, 500}) {
    CAPTURE(peer);
    const std::uint64_t h = hash_of(test::tuple(peer));
    s.syn(peer, {.timestamps = true, .ts_value = 1});
    const std::uint32_t shift = s.out.last().options.ts_value - 3000;
    CHECK(shift == (static_cast<std::uint32_t>(h) ^ std::rotl(static_cast<std::uint32_t>(h >> 32), 15)) * 0x9e3779b1U);
    CHECK(shift != static_cast<std::uint32_t>(h));
    CHECK(shift != static_cast<std::uint32_t>(h >> 32));
  }
}

namespace {

// As many may wait as come, it says, and that there is room for one.
struct two_tongued {
  static constexpr bool full(queue_lengths, std::uint32_t) noexcept { return false; }
  static constexpr std::uint32_t capacity(std::uint32_t) noexcept { return 1; }
};
struct numbering : test::recorder<> {
  std::optional<int> make_child(const handshake&, const segment&) { return static_cast<int>(children++); }
};

}  // namespace

// A handle written beyond the accept queue, or a connection that is said to wait and that nobody can accept.
TEST_CASE("where `waiting` admits more connections than it made room for, the next one finds no room") {
  using l = with<preset::linux_6_18, waiting<two_tongued>>;
  const auto other = [](auto s) {
    CHECK(s.connect(0, 0) == 1);
    s.syn(1);
    CHECK(s.ack(1) == verdict::overflow_kept);
    CHECK(s.last.stages.has(stage::child_refused));
    CHECK(s.listener.accept_count() == 1);
    s.listener.accept();
    CHECK(s.ack(1) == verdict::promoted);
  };
  other(script<l>{3});
  other(script<with<l, child<handles<int>>>, numbering>{3});
}
