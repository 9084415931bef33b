// SPDX-License-Identifier: BSL-1.0
// address.hpp: families, endpoints, four-tuples.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/address.hpp>
#include <vector>

using namespace listenq;

// Octets in network order on a little-endian machine: 127.0.0.1 as 0x0100007f.
TEST_CASE("an IPv4 address is a number in host byte order") {
  CHECK(ip(127, 0, 0, 1).value == 0x7f000001U);
  CHECK(ip(255, 255, 255, 255).value == 0xffffffffU);
  CHECK(ip(1, 2, 3, 4).value == 0x01020304U);
}

// RFC 4291 2.5.5.2.
TEST_CASE("a dual listener sees an IPv4 address in its mapped form") {
  CHECK(dual::mapped(ip(1, 2, 3, 4)) == ipv6::address{{0, 0, 0xffff, 0x01020304U}});
}

// A word that is left out: addresses that differ only there would share a bucket and an ISN, and be aimed at.
TEST_CASE("addresses that differ in any bit differ in a word") {
  const auto check = []<class A>(A, const typename A::address& a, const typename A::address& b) {
    bool differs = false;
    for (std::size_t i = 0; i < A::words; ++i) differs = differs || A::word(a, i) != A::word(b, i);
    CHECK(differs == !(a == b));
  };
  for (unsigned bit = 0; bit < 32; ++bit) {
    const std::uint32_t one = 1U << bit;
    check(ipv4{}, {5}, {5 ^ one});
    for (std::size_t i = 0; i < 4; ++i) {
      ipv6::address b{{1, 2, 3, 4}};
      b.value[i] ^= one;
      check(ipv6{}, {{1, 2, 3, 4}}, b);
      check(dual{}, {{1, 2, 3, 4}}, b);
      check(tagged<ipv6>{}, {{{1, 2, 3, 4}}, 7}, {b, 7});
    }
    check(tagged<ipv4>{}, {{5}, 7}, {{5}, 7 ^ one});
    check(tagged<ipv4>{}, {{5}, 7}, {{5 ^ one}, 7});
  }
  check(ipv6{}, {{1, 2, 3, 4}}, {{1, 2, 3, 4}});
}

TEST_CASE("a four-tuple has two ends, peer and local, and compares all of itself") {
  constexpr four_tuple t{ip(10, 0, 0, 2), ip(10, 0, 0, 1), 30001, 20000};
  CHECK(t.peer() == endpoint{ip(10, 0, 0, 2), 30001});
  CHECK(t.local() == endpoint{ip(10, 0, 0, 1), 20000});
  CHECK_FALSE(t == four_tuple{ip(10, 0, 0, 3), ip(10, 0, 0, 1), 30001, 20000});
  CHECK_FALSE(t == four_tuple{ip(10, 0, 0, 2), ip(10, 0, 0, 9), 30001, 20000});
  CHECK_FALSE(t == four_tuple{ip(10, 0, 0, 2), ip(10, 0, 0, 1), 30002, 20000});
  CHECK_FALSE(t == four_tuple{ip(10, 0, 0, 2), ip(10, 0, 0, 1), 30001, 20001});
}

// A tag that stands where the base's words are, or a word of the base taken from another place: what hashes the words
// would still tell addresses apart, what reads a prefix out of them would not.
TEST_CASE("the words of a tagged address are its tag and then those of its base, in their order") {
  const auto check = []<class A>(A, const typename A::address& a, const std::vector<std::uint32_t>& words) {
    REQUIRE(A::words == words.size());
    for (std::size_t i = 0; i < A::words; ++i) CHECK(A::word(a, i) == words[i]);
  };
  check(tagged<ipv4>{}, {{5}, 7}, {7, 5});
  check(tagged<ipv6>{}, {{{1, 2, 3, 4}}, 7}, {7, 1, 2, 3, 4});
  check(tagged<tagged<ipv6>>{}, {{{{1, 2, 3, 4}}, 7}, 9}, {9, 7, 1, 2, 3, 4});
}
