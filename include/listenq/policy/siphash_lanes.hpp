// SPDX-License-Identifier: BSL-1.0
// SipHash of eight messages of one length that begin alike, in step: bit for bit what `siphash` yields for each,
// cheaper where the CPU has AVX2 and at half of that where it has AVX-512, which is asked when it runs. Elsewhere, and
// in constant expressions, nothing of it is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace listenq::detail {

inline constexpr std::size_t siphash_lanes = 8;

/// The four words that SipHash works on.
struct siphash_words {
  std::uint64_t v0 = 0, v1 = 0, v2 = 0, v3 = 0;
};

#if defined(__x86_64__) && defined(__GNUC__)

/// Has the CPU what `siphash_in_lanes` needs?
inline bool has_siphash_lanes() noexcept { return __builtin_cpu_supports("avx2") != 0; }

// The same twice, because a compiler takes vectors to pieces in any function whose own target does not have them.

/// All eight in one register, where a rotation is one instruction.
template <int C, int D, std::size_t Bytes, std::size_t N>
[[gnu::target("avx512f")]] void siphash_in_octet(const siphash_words& reached,
                                                 const std::uint64_t (&blocks)[N][siphash_lanes], std::uint64_t above,
                                                 std::uint64_t (&out)[siphash_lanes]) noexcept {
  using wide [[gnu::vector_size(64)]] = std::uint64_t;
  constexpr std::size_t all = Bytes % 8 == 0 ? N + 1 : N;  // the length has a block of its own, or room in the last one
  constexpr std::uint64_t length = std::uint64_t{Bytes} << 56;
  wide v0 = wide{} + reached.v0, v1 = wide{} + reached.v1, v2 = wide{} + reached.v2, v3 = wide{} + reached.v3;
  for (std::size_t i = 0; i <= all; ++i) {
    wide m{};
    if (i < N) std::memcpy(&m, blocks[i], sizeof(m));
    if (i + 1 == N) m |= above;
    if (i + 1 == all) m |= length;
    if (i == all) v2 ^= 0xffU;
    v3 ^= m;
    for (int round = i < all ? C : D; round > 0; --round) {
      v0 += v1;
      v2 += v3;
      v1 = ((v1 << 13) | (v1 >> 51)) ^ v0;
      v3 = ((v3 << 16) | (v3 >> 48)) ^ v2;
      v0 = (v0 << 32) | (v0 >> 32);
      v2 += v1;
      v0 += v3;
      v1 = ((v1 << 17) | (v1 >> 47)) ^ v2;
      v3 = ((v3 << 21) | (v3 >> 43)) ^ v0;
      v2 = (v2 << 32) | (v2 >> 32);
    }
    v0 ^= m;
  }
  v0 = v0 ^ v1 ^ v2 ^ v3;
  std::memcpy(out, &v0, sizeof(v0));
}

/// Four and four.
template <int C, int D, std::size_t Bytes, std::size_t N>
[[gnu::target("avx2")]] void siphash_in_quads(const siphash_words& reached,
                                              const std::uint64_t (&blocks)[N][siphash_lanes], std::uint64_t above,
                                              std::uint64_t (&out)[siphash_lanes]) noexcept {
  using wide [[gnu::vector_size(32)]] = std::uint64_t;
  constexpr std::size_t all = Bytes % 8 == 0 ? N + 1 : N;  // the length has a block of its own, or room in the last one
  constexpr std::uint64_t length = std::uint64_t{Bytes} << 56;
  for (std::size_t from = 0; from < siphash_lanes; from += 4) {
    wide v0 = wide{} + reached.v0, v1 = wide{} + reached.v1, v2 = wide{} + reached.v2, v3 = wide{} + reached.v3;
    for (std::size_t i = 0; i <= all; ++i) {
      wide m{};
      if (i < N) std::memcpy(&m, &blocks[i][from], sizeof(m));
      if (i + 1 == N) m |= above;
      if (i + 1 == all) m |= length;
      if (i == all) v2 ^= 0xffU;
      v3 ^= m;
      for (int round = i < all ? C : D; round > 0; --round) {
        v0 += v1;
        v2 += v3;
        v1 = ((v1 << 13) | (v1 >> 51)) ^ v0;
        v3 = ((v3 << 16) | (v3 >> 48)) ^ v2;
        v0 = (v0 << 32) | (v0 >> 32);
        v2 += v1;
        v0 += v3;
        v1 = ((v1 << 17) | (v1 >> 47)) ^ v2;
        v3 = ((v3 << 21) | (v3 >> 43)) ^ v0;
        v2 = (v2 << 32) | (v2 >> 32);
      }
      v0 ^= m;
    }
    v0 = v0 ^ v1 ^ v2 ^ v3;
    std::memcpy(out + from, &v0, sizeof(v0));
  }
}

/// `blocks[i][k]` is the i-th block of the k-th message of `Bytes` bytes, from where the hash has `reached` these
/// words; all end with the bytes `above` in their last block. Only where `has_siphash_lanes()`.
template <int C, int D, std::size_t Bytes, std::size_t N>
void siphash_in_lanes(const siphash_words& reached, const std::uint64_t (&blocks)[N][siphash_lanes],
                      std::uint64_t above, std::uint64_t (&out)[siphash_lanes]) noexcept {
  if (__builtin_cpu_supports("avx512f") != 0) return siphash_in_octet<C, D, Bytes>(reached, blocks, above, out);
  siphash_in_quads<C, D, Bytes>(reached, blocks, above, out);
}

#else

constexpr bool has_siphash_lanes() noexcept { return false; }
template <int C, int D, std::size_t Bytes, std::size_t N>
void siphash_in_lanes(const siphash_words&, const std::uint64_t (&)[N][siphash_lanes], std::uint64_t,
                      std::uint64_t (&)[siphash_lanes]) noexcept {}

#endif

}  // namespace listenq::detail
