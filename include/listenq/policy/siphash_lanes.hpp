// SPDX-License-Identifier: BSL-1.0
// SipHash of eight keys of one length, in step: bit for bit what `siphash` yields for each, at about a third of the
// cost where the CPU has AVX2, which is asked when it runs. Elsewhere, and in constant expressions, nothing of it is
// used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace listenq::detail {

inline constexpr std::size_t siphash_lanes = 8;

#if defined(__x86_64__) && defined(__GNUC__)

/// Has the CPU what `siphash_in_lanes` needs?
inline bool has_siphash_lanes() noexcept { return __builtin_cpu_supports("avx2") != 0; }

/// Four of them, one in each part of a register. Recursion instead of loops, which compilers do not unroll at -O2, and
/// the target at each function, without which a compiler takes its vectors to pieces.
template <int C, int D, std::size_t N>
struct siphash_quad {
  using wide [[gnu::vector_size(32)]] = std::uint64_t;
  using narrow [[gnu::vector_size(16)]] = std::uint32_t;
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
  /// The words from the `I`-th on; the last block holds an odd one, and always the length.
  template <std::size_t I>
  [[gnu::always_inline, gnu::target("avx2")]] void absorb(const std::uint32_t (&words)[N][siphash_lanes],
                                                          std::size_t from) noexcept {
    wide m = wide{} + (I + 1 < N ? 0 : std::uint64_t{N * 4} << 56);
    narrow w;
    if constexpr (I < N) {
      std::memcpy(&w, &words[I][from], sizeof(w));
      m |= __builtin_convertvector(w, wide);
    }
    if constexpr (I + 1 < N) {
      std::memcpy(&w, &words[I + 1][from], sizeof(w));
      m |= __builtin_convertvector(w, wide) << 32;
    }
    v3 ^= m;
    rounds<C>();
    v0 ^= m;
    if constexpr (I + 1 < N) absorb<I + 2>(words, from);
  }
  [[gnu::always_inline, gnu::target("avx2")]] void hash(std::uint64_t k0, std::uint64_t k1,
                                                        const std::uint32_t (&words)[N][siphash_lanes],
                                                        std::size_t from, std::uint64_t* out) noexcept {
    v0 = wide{} + (k0 ^ 0x736f6d6570736575U);
    v1 = wide{} + (k1 ^ 0x646f72616e646f6dU);
    v2 = wide{} + (k0 ^ 0x6c7967656e657261U);
    v3 = wide{} + (k1 ^ 0x7465646279746573U);
    absorb<0>(words, from);
    v2 ^= wide{} + 0xffU;
    rounds<D>();
    v0 = v0 ^ v1 ^ v2 ^ v3;
    std::memcpy(out, &v0, sizeof(v0));
  }
};

/// `words[i][k]` is the i-th word of the k-th key. Only where `has_siphash_lanes()`.
template <int C, int D, std::size_t N>
[[gnu::target("avx2")]] void siphash_in_lanes(std::uint64_t k0, std::uint64_t k1,
                                              const std::uint32_t (&words)[N][siphash_lanes],
                                              std::uint64_t (&out)[siphash_lanes]) noexcept {
  siphash_quad<C, D, N> a, b;
  a.hash(k0, k1, words, 0, out);
  b.hash(k0, k1, words, 4, out + 4);
}

#else

constexpr bool has_siphash_lanes() noexcept { return false; }
template <int C, int D, std::size_t N>
void siphash_in_lanes(std::uint64_t, std::uint64_t, const std::uint32_t (&)[N][siphash_lanes],
                      std::uint64_t (&)[siphash_lanes]) noexcept {}

#endif

}  // namespace listenq::detail
