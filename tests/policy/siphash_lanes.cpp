// SPDX-License-Identifier: BSL-1.0
// Eight hashes at once against one after the other.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <listenq/policy/hashing.hpp>
#include <string>

using namespace listenq;

namespace {

constexpr siphash_key key{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
/// What SipHash begins with under that key.
constexpr detail::siphash_words begun{key.k0 ^ 0x736f6d6570736575U, key.k1 ^ 0x646f72616e646f6dU,
                                      key.k0 ^ 0x6c7967656e657261U, key.k1 ^ 0x7465646279746573U};

/// Eight messages of `Bytes` bytes, whose last blocks are theirs but for the bytes `above`, which are the same in all.
template <std::size_t Bytes>
struct messages {
  static constexpr std::size_t n = (Bytes + 7) / 8;
  std::uint64_t blocks[n][8];
  std::uint64_t above = 0;

  messages() {
    std::uint64_t draw = 1;
    const auto next = [&draw] { return draw = draw * 6364136223846793005U + 1442695040888963407U; };
    for (auto& row : blocks) {
      for (std::uint64_t& b : row) b = next();
    }
    constexpr std::size_t in_last = (Bytes - 1) % 8 + 1;
    constexpr std::uint64_t theirs = (std::uint64_t{1} << (8 * (in_last - 1))) - 1;
    for (std::uint64_t& b : blocks[n - 1]) b &= theirs;
    above = std::uint64_t{0xa5} << (8 * (in_last - 1));
  }
  /// Its bytes.
  std::array<std::uint8_t, Bytes> operator[](std::size_t k) const {
    std::array<std::uint8_t, Bytes> bytes{};
    for (std::size_t i = 0; i < Bytes; ++i) {
      const std::uint64_t block = blocks[i / 8][k] | (i / 8 == n - 1 ? above : 0);
      bytes[i] = static_cast<std::uint8_t>(block >> (8 * (i % 8)));
    }
    return bytes;
  }
};

template <int C, int D, std::size_t Bytes>
void compare() {
  if (!siphash<C, D>::hashes_eight()) return;  // nobody is asked then; `variant.avx2` says so
  const messages<Bytes> m;
  const auto check = [&](const std::uint64_t(&all)[8]) {
    for (std::size_t k = 0; k < 8; ++k) {
      CAPTURE(k);
      CHECK(all[k] == siphash<C, D>::of_bytes(key, m[k].data(), Bytes));
    }
  };
  std::uint64_t all[8]{};
  siphash<C, D>::template go_on_eight<Bytes>(siphash<C, D>{key}.open(), m.blocks, all, m.above);
  check(all);
#if defined(__x86_64__) && defined(__GNUC__)
  std::uint64_t quads[8]{}, octet[8]{};
  detail::siphash_in_quads<C, D, Bytes>(begun, m.blocks, m.above, quads);
  check(quads);
  if (__builtin_cpu_supports("avx512f") == 0) return;  // `variant.avx512f` says so
  detail::siphash_in_octet<C, D, Bytes>(begun, m.blocks, m.above, octet);
  check(octet);
#endif
}

/// After an opening.
template <int C, int D, std::size_t Bytes>
void go_on() {
  if (!siphash<C, D>::hashes_eight()) return;
  const siphash<C, D> h{key};
  const std::uint64_t begin[1] = {0x0123456789abcdefU};
  const messages<Bytes> m;
  std::uint64_t all[8]{};
  h.template go_on_eight<8 + Bytes>(h.open(begin), m.blocks, all);
  for (std::size_t k = 0; k < 8; ++k) {
    std::uint64_t message[m.n];
    for (std::size_t i = 0; i < m.n; ++i) message[i] = m.blocks[i][k];
    CAPTURE(k);
    CHECK(all[k] == h.template go_on<8 + Bytes>(h.open(begin), message));
  }
}

}  // namespace

// A lane that gets another's block, a length that is missing from the last block, a rotation by the wrong number: peers
// in a burst would not find their requests.
TEST_CASE("eight hashes at once are the eight hashes, for messages of any length") {
  compare<2, 4, 6>();
  compare<2, 4, 7>();
  compare<2, 4, 8>();
  compare<2, 4, 16>();
  compare<2, 4, 20>();
  compare<1, 3, 6>();
  compare<1, 3, 44>();
  go_on<2, 4, 6>();
  go_on<2, 4, 20>();
  go_on<1, 3, 6>();
}

#if defined(__x86_64__) && defined(__linux__)
// Another feature asked for, or the answer turned round: an illegal instruction on old CPUs, none of the gain on
// others.
TEST_CASE("eight at once are offered where the system says that the CPU has AVX2, and only there") {
  std::ifstream file{"/proc/cpuinfo"};
  const std::string info{std::istreambuf_iterator<char>{file}, {}};
  if (info.find("\nflags") == std::string::npos) return;  // a system that does not say
  CHECK(siphash<>::hashes_eight() == (info.find(" avx2") != std::string::npos));
}
#endif
