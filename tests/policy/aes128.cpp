// SPDX-License-Identifier: BSL-1.0
// policy/aes128.hpp against the standard's examples, and each of its ways against the others.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <listenq/policy/aes128.hpp>
#include <string>

using namespace listenq;
using detail::aes_block;

namespace {

/// Sixteen bytes as a standard prints them: the first one in the highest place of the first number.
constexpr aes_block printed(std::uint64_t first, std::uint64_t last) {
  aes_block b;
  for (int i = 0; i < 8; ++i) {
    b.low = b.low << 8 | (first >> (8 * i) & 0xff);
    b.high = b.high << 8 | (last >> (8 * i) & 0xff);
  }
  return b;
}
constexpr aes128 keyed(std::uint64_t first, std::uint64_t last) {
  const aes_block k = printed(first, last);
  return aes128{{k.low, k.high}};
}

constexpr aes128 hash = keyed(0x0001020304050607U, 0x08090a0b0c0d0e0fU);

std::uint32_t next_word(std::uint64_t& draw) {
  draw = draw * 6364136223846793005U + 1442695040888963407U;
  return static_cast<std::uint32_t>(draw >> 32);
}

/// The hash as the header's words say it, with nothing of its code but the block cipher.
std::uint64_t by_the_words(const aes128& h, const std::uint32_t* words, std::size_t n) {
  std::uint32_t message[20]{};
  message[0] = static_cast<std::uint32_t>(n);
  for (std::size_t i = 0; i < n; ++i) message[i + 1] = words[i];
  aes_block chain{};
  for (std::size_t i = 0; i <= n; i += 4) {
    chain.low ^= message[i] | std::uint64_t{message[i + 1]} << 32;
    chain.high ^= message[i + 2] | std::uint64_t{message[i + 3]} << 32;
    chain = h.encrypt(chain);
  }
  return chain.low;
}

}  // namespace

// A wrong entry of the box, a row shifted the other way, a column mixed in the last round, a round constant: FIPS 197,
// appendices B and C.1, then two of the known answers of SP 800-38A, F.1.1.
TEST_CASE("a block is encrypted as the standard's examples are, in a constant expression and by the CPU") {
  constexpr aes_block c1 = printed(0x69c4e0d86a7b0430U, 0xd8cdb78070b4c55aU);
  static_assert(hash.encrypt(printed(0x0011223344556677U, 0x8899aabbccddeeffU)) == c1);
  CHECK(hash.encrypt(printed(0x0011223344556677U, 0x8899aabbccddeeffU)) == c1);

  constexpr aes128 other = keyed(0x2b7e151628aed2a6U, 0xabf7158809cf4f3cU);
  constexpr aes_block b = printed(0x3925841d02dc09fbU, 0xdc118597196a0b32U);
  static_assert(other.encrypt(printed(0x3243f6a8885a308dU, 0x313198a2e0370734U)) == b);
  CHECK(other.encrypt(printed(0x3243f6a8885a308dU, 0x313198a2e0370734U)) == b);
  CHECK(other.encrypt(printed(0x6bc1bee22e409f96U, 0xe93d7e117393172aU)) ==
        printed(0x3ad77bb40d7a3660U, 0xa89ecaf32466ef97U));
  CHECK(other.encrypt(printed(0xae2d8a571e03ac9cU, 0x9eb76fac45af8e51U)) ==
        printed(0xf5d3d58503b9699dU, 0xe785895a96fdbaafU));
}

// FIPS 197, appendices B and C.1, with keys that no compiler has expanded: the wrong word of the key before, a round
// constant that does not double.
TEST_CASE("a key is expanded as the standard does, at run time, for the CPU's way and the other one") {
  for (const bool second : {false, true}) {
    const aes_block k =
        second ? printed(0x2b7e151628aed2a6U, 0xabf7158809cf4f3cU) : printed(0x0001020304050607U, 0x08090a0b0c0d0e0fU);
    const aes_block clear =
        second ? printed(0x3243f6a8885a308dU, 0x313198a2e0370734U) : printed(0x0011223344556677U, 0x8899aabbccddeeffU);
    const aes_block sent =
        second ? printed(0x3925841d02dc09fbU, 0xdc118597196a0b32U) : printed(0x69c4e0d86a7b0430U, 0xd8cdb78070b4c55aU);
    CHECK(aes128{{k.low, k.high}}.encrypt(clear) == sent);
    CHECK(detail::encrypt_by_bytes(detail::expand({k.low, k.high}), clear) == sent);
  }
}

// A CPU without AES: there a listener would hash otherwise than its neighbours, or than a recording says.
TEST_CASE("without the CPU's help the same comes out") {
  std::uint64_t draw = 1;
  for (int i = 0; i < 300; ++i) {
    const aes128_key key{std::uint64_t{next_word(draw)} << 32 | next_word(draw), next_word(draw)};
    const aes_block b{next_word(draw), std::uint64_t{next_word(draw)} << 32 | next_word(draw)};
    CHECK(aes128{key}.encrypt(b) == detail::encrypt_by_bytes(detail::expand(key), b));
  }
}

// A length that is left out, so that a message is the beginning of another; a word lost at the end of a block; a chain
// that begins anew with each block.
TEST_CASE("the hash is the chain over the number of words, the words, and zeros") {
  std::uint64_t draw = 2;
  std::uint32_t words[17];
  for (std::uint32_t& w : words) w = next_word(draw);
  for (std::size_t n = 0; n <= 17; ++n) {
    CAPTURE(n);
    CHECK(hash.hash(words, n) == by_the_words(hash, words, n));
  }
  const std::uint32_t three[3] = {1, 2, 3}, four[4] = {1, 2, 3, 0}, nine[9] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
  CHECK(hash.hash(three) == hash.hash(three, 3));
  CHECK(hash.hash(four) == hash.hash(four, 4));
  CHECK(hash.hash(nine) == hash.hash(nine, 9));
  CHECK(hash.hash(three) != hash.hash(four));
}

// A lane that gets another's word, or a second block that is not chained to the first.
TEST_CASE("eight hashes at once are the eight hashes, for messages of one block and of more") {
  if (!aes128::hashes_eight()) return;  // nobody is asked then; `variant.aes` says so
  auto compare = [draw = std::uint64_t{3}]<std::size_t N>(std::uint32_t(&words)[N][8]) mutable {
    for (auto& row : words) {
      for (std::uint32_t& w : row) w = next_word(draw);
    }
    std::uint64_t all[8]{};
    hash.hash_eight(words, all);
    for (std::size_t k = 0; k < 8; ++k) {
      std::uint32_t one[N];
      for (std::size_t i = 0; i < N; ++i) one[i] = words[i][k];
      CAPTURE(k);
      CHECK(all[k] == by_the_words(hash, one, N));
    }
  };
  std::uint32_t ipv4[3][8], full[4][8], ipv6[9][8];
  compare(ipv4);
  compare(full);
  compare(ipv6);
}

// One half of the key unused.
TEST_CASE("both halves of an AES key matter") {
  const std::uint32_t words[3] = {1, 2, 3};
  const std::uint64_t h = aes128{{1, 2}}.hash(words);
  CHECK(aes128{{1 ^ 1, 2}}.hash(words) != h);
  CHECK(aes128{{1, 2 ^ 1}}.hash(words) != h);
}

#if defined(__x86_64__) && defined(__linux__)
// The answer turned round: an illegal instruction on old CPUs, none of the gain on others.
TEST_CASE("the CPU's AES is used where the system says that there is one, and only there") {
  std::ifstream file{"/proc/cpuinfo"};
  const std::string info{std::istreambuf_iterator<char>{file}, {}};
  if (info.find("\nflags") == std::string::npos) return;  // a system that does not say
  CHECK(aes128::hashes_eight() == (info.find(" aes ") != std::string::npos));
}
#endif
