// SPDX-License-Identifier: BSL-1.0
// policy/cookie/sha1.hpp against the published examples.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <listenq/policy/cookie/sha1.hpp>
#include <listenq/static_array.hpp>
#include <string_view>

using namespace listenq;

namespace {

using digest = static_array<std::uint32_t, 5>;

constexpr digest of(std::string_view text, std::size_t times = 1) {
  sha1 h;
  for (; times > 0; --times) {
    for (const char c : text) h.add(static_cast<std::uint8_t>(c));
  }
  return h.digest();
}

}  // namespace

// FIPS 180-4's examples and RFC 3174 7.3; the empty message has its padding alone, the second takes two blocks, one of
// 64 bytes puts all of the padding into a block of its own.
TEST_CASE("the published digests") {
  static_assert(of("abc") == digest{0xa9993e36, 0x4706816a, 0xba3e2571, 0x7850c26c, 0x9cd0d89d});
  CHECK(of("") == digest{0xda39a3ee, 0x5e6b4b0d, 0x3255bfef, 0x95601890, 0xafd80709});
  CHECK(of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        digest{0x84983e44, 0x1c3bd26e, 0xbaae4aa1, 0xf95129e5, 0xe54670f1});
  CHECK(of("0123456701234567012345670123456701234567012345670123456701234567", 10) ==
        digest{0xdea356a2, 0xcddd90c7, 0xa7ecedc5, 0xebb56393, 0x4f460452});
  CHECK(of("a", 20000) == of("aa", 10000));
}

// Bytes in the wrong order would pass every test that adds bytes alone.
TEST_CASE("a word is its four bytes, the most significant one first") {
  sha1 h;
  h.add_word(0x61626364);
  CHECK(h.digest() == of("abcd"));
}

// One step from the standard's start is the digest of a message that fills the block by itself.
TEST_CASE("a step is the whole function's step") {
  static_array<std::uint32_t, 16> block{};
  block[0] = 0x61626380;  // "abc", the bit that ends it
  block[15] = 24;         // its length
  sha1_state s;
  sha1_absorb(s, block);
  CHECK(s.word == of("abc"));
  sha1_state other;
  other.word[3] ^= 1;
  sha1_absorb(other, block);
  CHECK(other != s);
}
