// SPDX-License-Identifier: BSL-1.0
// Two hashes in step against one after the other.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/policy/cookie/codec.hpp>
#include <listenq/policy/siphash_pair.hpp>

using namespace listenq;

namespace {

constexpr siphash_key key_a{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
constexpr siphash_key key_b{0x8877665544332211U, 0x00ffeeddccbbaa99U};

/// The hashes of 2 * N words each, all different.
template <std::size_t N>
constexpr bool same_as_one_by_one() {
  std::uint32_t a[2 * N]{}, b[2 * N]{}, draw = 1;
  for (std::size_t i = 0; i < 2 * N; ++i) {
    a[i] = draw = draw * 1664525 + 1013904223;
    b[i] = draw = draw * 1664525 + 1013904223;
  }
  detail::siphash_pair pair{key_a, key_b};
  for (std::size_t i = 0; i < 2 * N; i += 2) {
    pair.absorb({a[i] | std::uint64_t{a[i + 1]} << 32, b[i] | std::uint64_t{b[i + 1]} << 32});
  }
  const detail::number_pair hashes = pair.finish(8 * N);
  return hashes.a == siphash<2, 4>{key_a}.hash(a, 2 * N) && hashes.b == siphash<2, 4>{key_b}.hash(b, 2 * N);
}
static_assert(same_as_one_by_one<2>());

}  // namespace

// Bug caught: a rotation by the wrong number, a word that gets into the other's state, a length that is missing: our
// cookies would not be Linux's, or not come back.
TEST_CASE("two hashes in step are the two hashes") {
  CHECK(same_as_one_by_one<1>());
  CHECK(same_as_one_by_one<2>());
  CHECK(same_as_one_by_one<5>());
}

// SipHash-2-4 of the bytes 00 to 07 under the key 00 to 0f, from the reference implementation's table of vectors.
TEST_CASE("two hashes in step, against the reference implementation's table") {
  detail::siphash_pair pair{key_a, key_a};
  pair.absorb({0x0706050403020100U, 0x0706050403020100U});
  const detail::number_pair hashes = pair.finish(8);
  CHECK(hashes.a == 0x93f5f5799a932462U);
  CHECK(hashes.b == 0x93f5f5799a932462U);
}

// Bug caught: the two numbers at the end exchanged, or a word of the tuple left out; IPv4, a tag more, IPv6.
TEST_CASE("keyed_hashes are two of keyed_hash, for every size of a four-tuple") {
  const std::array<std::uint32_t, 11> words{1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144};
  for (const std::size_t count : {3U, 5U, 9U, 11U}) {
    const cookie_facts f{.words = words.data(), .word_count = count};
    const std::uint32_t more_a[] = {0x01020304}, more_b[] = {0xa0b0c0d0};
    const detail::number_pair both = detail::keyed_hashes(key_a, more_a[0], key_b, more_b[0], f);
    CAPTURE(count);
    CHECK(both.a == detail::keyed_hash(key_a, f, more_a));
    CHECK(both.b == detail::keyed_hash(key_b, f, more_b));
  }
}
