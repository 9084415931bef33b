// SPDX-License-Identifier: BSL-1.0
// SipHash of eight messages of one length that begin alike, in step: bit for bit what `siphash` yields for each, at
// about a third of the cost where the CPU has AVX2, which is asked when it runs. Elsewhere, and in constant
// expressions, nothing of it is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace listenq::detail {

inline constexpr std::size_t siphash_lanes = 8;

/// The four words that SipHash works on.
struct siphash_words {
  std::uint64_t v0, v1, v2, v3;
};

#if defined(__x86_64__) && defined(__GNUC__)

/// Has the CPU what `siphash_in_lanes` needs?
inline bool has_siphash_lanes() noexcept { return __builtin_cpu_supports("avx2") != 0; }

/// Four of them, one in each part of a register. Recursion instead of loops, which compilers do not unroll at -O2, and
/// the target at each function, without which a compiler takes its vectors to pieces.
template <int C, int D, std::size_t Bytes, std::size_t N>
struct siphash_quad {
  using wide [[gnu::vector_size(32)]] = std::uint64_t;
  wide v0, v1, v2, v3;

  template <int Rounds>
  [[gnu::always_inline, gnu::target("avx2")]] void rounds() noexcept {
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
    if constexpr (Rounds > 1) rounds<Rounds - 1>();
  }
  /// The blocks from the `I`-th on; the last one holds the length, too.
  template <std::size_t I>
  [[gnu::always_inline, gnu::target("avx2")]] void absorb(const std::uint64_t (&blocks)[N][siphash_lanes],
                                                          std::size_t from) noexcept {
    wide m;
    std::memcpy(&m, &blocks[I][from], sizeof(m));
    if constexpr (I + 1 == N) m |= wide{} + (std::uint64_t{Bytes} << 56);
    v3 ^= m;
    rounds<C>();
    v0 ^= m;
    if constexpr (I + 1 < N) absorb<I + 1>(blocks, from);
  }
  [[gnu::always_inline, gnu::target("avx2")]] void hash(const siphash_words& reached,
                                                        const std::uint64_t (&blocks)[N][siphash_lanes],
                                                        std::size_t from, std::uint64_t* out) noexcept {
    v0 = wide{} + reached.v0;
    v1 = wide{} + reached.v1;
    v2 = wide{} + reached.v2;
    v3 = wide{} + reached.v3;
    absorb<0>(blocks, from);
    v2 ^= wide{} + 0xffU;
    rounds<D>();
    v0 = v0 ^ v1 ^ v2 ^ v3;
    std::memcpy(out, &v0, sizeof(v0));
  }
};

/// `blocks[i][k]` is the i-th block of the k-th message of `Bytes` bytes, from where the hash has `reached` these
/// words. Only where `has_siphash_lanes()`.
template <int C, int D, std::size_t Bytes, std::size_t N>
[[gnu::target("avx2")]] void siphash_in_lanes(const siphash_words& reached,
                                              const std::uint64_t (&blocks)[N][siphash_lanes],
                                              std::uint64_t (&out)[siphash_lanes]) noexcept {
  siphash_quad<C, D, Bytes, N> a, b;
  a.hash(reached, blocks, 0, out);
  b.hash(reached, blocks, 4, out + 4);
}

#else

constexpr bool has_siphash_lanes() noexcept { return false; }
template <int C, int D, std::size_t Bytes, std::size_t N>
void siphash_in_lanes(const siphash_words&, const std::uint64_t (&)[N][siphash_lanes],
                      std::uint64_t (&)[siphash_lanes]) noexcept {}

#endif

}  // namespace listenq::detail
