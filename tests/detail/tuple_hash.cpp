// SPDX-License-Identifier: BSL-1.0
// detail/tuple_hash.hpp: which bytes of a four-tuple are hashed, whichever way it is done.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <listenq/detail/tuple_hash.hpp>
#include <listenq/policy/aes128.hpp>
#include <listenq/policy/hashing.hpp>
#include <vector>

using namespace listenq;

namespace {

constexpr siphash_key key{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};

/// Words, each of four bytes in little-endian order.
std::vector<std::uint8_t> bytes_of(std::initializer_list<std::uint32_t> words) {
  std::vector<std::uint8_t> all;
  for (const std::uint32_t w : words) {
    for (int i = 0; i < 4; ++i) all.push_back(static_cast<std::uint8_t>(w >> (8 * i)));
  }
  return all;
}

template <addressing A>
basic_segment<A> segment_of(const basic_four_tuple<A>& t) {
  basic_segment<A> s;
  s.source = {t.peer_address, t.peer_port};
  s.destination = {t.local_address, t.local_port};
  return s;
}

template <addressing A>
void compare(const basic_four_tuple<A>& t, const std::vector<std::uint8_t>& bytes) {
  using hashes = detail::tuple_hash<siphash<2, 4>, A>;
  const siphash<2, 4> h{key};
  const std::uint64_t expected = siphash<2, 4>::of_bytes(key, bytes.data(), bytes.size());
  CHECK(hashes::of(h, t) == expected);
  CHECK(hashes::of(h, segment_of(t)) == expected);
  hashes going_on;
  going_on.begin(h);
  CHECK(going_on.next(h, segment_of(t)) == expected);
  CHECK(going_on.next(h, segment_of(t)) == expected);
}

}  // namespace

// An address that is not hashed, a port in both blocks, or of the wrong side: peers of one bucket, or one ISN for all
// of a listener's addresses.
TEST_CASE(
    "our side is a message's first block, the peer's side the rest; where addresses fill blocks, ports come last") {
  compare<ipv4>({{0x0a000001}, {0x0a000002}, 0x1234, 0x5678}, [] {
    auto all = bytes_of({0x0a000002, 0x5678, 0x0a000001, 0x1234});
    all.resize(14);
    return all;
  }());
  compare<ipv6>({{{1, 2, 3, 4}}, {{5, 6, 7, 8}}, 0x1234, 0x5678}, bytes_of({5, 6, 7, 8, 1, 2, 3, 4, 0x12345678}));
  compare<tagged<ipv4>>({{{0x0a000001}, 7}, {{0x0a000002}, 9}, 0x1234, 0x5678},
                        bytes_of({9, 0x0a000002, 7, 0x0a000001, 0x12345678}));
  compare<tagged<ipv6>>({{{{1, 2, 3, 4}}, 7}, {{{5, 6, 7, 8}}, 9}, 0x1234, 0x5678}, [] {
    auto all = bytes_of({9, 5, 6, 7, 8, 0x5678, 7, 1, 2, 3, 4, 0x1234});
    all.resize(46);
    return all;
  }());
}

// The opening of a key that was replaced, or of the address that came before.
TEST_CASE("what goes on goes on from the key and the local side that are in force") {
  using hashes = detail::tuple_hash<siphash<2, 4>, ipv4>;
  const four_tuple here{{1}, {2}, 3, 4}, there{{1}, {5}, 3, 4}, nowhere{{1}, {}, 3, 0};
  hashes going_on;
  const siphash<2, 4> one{key}, other{{key.k1, key.k0}};
  going_on.begin(one);
  for (const four_tuple& t : {nowhere, here, nowhere, there, here}) {
    CHECK(going_on.next(one, segment_of(t)) == hashes::of(one, t));
  }
  going_on.begin(other);
  CHECK(going_on.next(other, segment_of(nowhere)) == hashes::of(other, nowhere));
  CHECK(going_on.next(other, segment_of(here)) == hashes::of(other, here));
}

// A hash that can only be asked for all of a message.
TEST_CASE("a hash without an opening gets peer, local address and ports") {
  using hashes = detail::tuple_hash<aes128, ipv4>;
  const aes128 h{{1, 2}};
  const four_tuple t{{0x0a000001}, {0x0a000002}, 0x1234, 0x5678};
  const std::uint32_t words[3] = {0x0a000001, 0x0a000002, 0x12345678};
  hashes all;
  all.begin(h);
  CHECK(hashes::of(h, t) == h.hash(words));
  CHECK(all.next(h, segment_of(t)) == h.hash(words));
}
