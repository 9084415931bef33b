// SPDX-License-Identifier: BSL-1.0
// hashing: one keyed hash of the four-tuple. Its low half says where a request goes, its high half feeds the ISN, so
// a peer that could predict it could both aim at a bucket and guess our numbers. The key is injected.
//
// When to use which: `siphash<2, 4>` by default; `siphash<1, 3>` is about a third cheaper and what Linux's hash tables
// use; write your own where the CPU has better.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/policy/siphash_lanes.hpp>
#include <type_traits>

namespace listenq {

/// A pseudo-random function of 32-bit words under a key that the value holds.
template <class P>
concept hashing_policy = std::default_initializable<P> &&
    requires(const P& p, const std::uint32_t* words, std::size_t n) {
  { p.hash(words, n) } -> std::same_as<std::uint64_t>;
};

/// 128 bits; `k0` is the first eight bytes read little endian. All zero is for tests only.
struct siphash_key {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
  friend constexpr bool operator==(const siphash_key&, const siphash_key&) = default;
};

/// SipHash-C-D (Aumasson and Bernstein, 2012). `hash(words, n)` equals the published function on the words' bytes in
/// little-endian order.
template <int C = 2, int D = 4>
struct siphash {
  static constexpr const char* name = "siphash";
  siphash_key key{};

  constexpr std::uint64_t hash(const std::uint32_t* words, std::size_t n) const noexcept {
    return hash_bytes([words](std::size_t i) { return words[i]; }, n * 4);
  }
  /// The same where the number of words is known: no loop is left of it.
  template <std::size_t N>
  [[gnu::always_inline]] constexpr std::uint64_t hash(const std::uint32_t (&words)[N]) const noexcept {
    state s{key};
    s.template absorb_pairs<0>(words);
    std::uint64_t last = std::uint64_t{N * 4} << 56;
    if constexpr (N % 2 != 0) last |= words[N - 1];
    return s.finish(last);
  }

  /// What has become of the hash after the first blocks of a message, each of eight bytes, little endian. Messages that
  /// begin alike can go on from it: that is cheaper, and the hash is the same.
  class opening;
  template <std::size_t N>
  constexpr opening open(const std::uint64_t (&blocks)[N]) const noexcept {
    state s{key};
    for (const std::uint64_t b : blocks) s.absorb(b);
    return opening{s};
  }
  /// Before the first block.
  constexpr opening open() const noexcept { return opening{state{key}}; }
  /// The hash of a message of `Bytes` bytes that began so and goes on with `blocks`; the last one holds the bytes that
  /// are left, fewer than eight, with zeros above.
  template <std::size_t Bytes, std::size_t N>
  [[gnu::always_inline]] static constexpr std::uint64_t go_on(const opening& from,
                                                              const std::uint64_t (&blocks)[N]) noexcept {
    state s = from.reached_;
    s.template absorb_blocks<0>(blocks);
    return s.finish(blocks[N - 1] | std::uint64_t{Bytes} << 56);
  }

  /// Is `go_on_eight` cheaper than eight hashes? Asked of the CPU.
  static constexpr bool hashes_eight() noexcept { return !std::is_constant_evaluated() && detail::has_siphash_lanes(); }
  /// Eight messages at once: `blocks[i][k]` is the i-th block of the k-th, `out[k]` its hash, the same as from `go_on`.
  /// In all the last block has the bytes of `above`, too. Only where `hashes_eight()`.
  template <std::size_t Bytes, std::size_t N>
  static void go_on_eight(const opening& from, const std::uint64_t (&blocks)[N][8], std::uint64_t (&out)[8],
                          std::uint64_t above = 0) noexcept {
    detail::siphash_in_lanes<C, D, Bytes>(from.reached_, blocks, above, out);
  }

  /// The same of words that are nowhere in a row: `word(i)` yields the i-th four of `bytes` bytes, the last ones in the
  /// lower part of a word with zeros above.
  template <class Word>
  constexpr std::uint64_t hash_bytes(Word word, std::size_t bytes) const noexcept {
    state s{key};
    std::size_t i = 0;
    for (; i + 1 < bytes / 4; i += 2) s.absorb(word(i) | (std::uint64_t{word(i + 1)} << 32));
    std::uint64_t last = std::uint64_t{bytes} << 56;
    if (bytes > i * 4) last |= word(i);
    if (bytes > i * 4 + 4) last |= std::uint64_t{word(i + 1)} << 32;
    return s.finish(last);
  }

  /// The same over bytes, as the reference implementation takes them.
  static constexpr std::uint64_t of_bytes(siphash_key key, const std::uint8_t* bytes, std::size_t n) noexcept {
    state s{key};
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8) s.absorb(load(bytes + i, 8));
    return s.finish((std::uint64_t{n} << 56) | load(bytes + i, n - i));
  }

 private:
  struct state : detail::siphash_words {
    constexpr state() noexcept = default;
    constexpr explicit state(siphash_key k) noexcept
        : siphash_words{k.k0 ^ 0x736f6d6570736575U, k.k1 ^ 0x646f72616e646f6dU, k.k0 ^ 0x6c7967656e657261U,
                        k.k1 ^ 0x7465646279746573U} {}
    [[gnu::always_inline]] constexpr void round() noexcept {
      v0 += v1;
      v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32);
      v2 += v1;
      v0 += v3;
      v1 = std::rotl(v1, 17) ^ v2;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 = std::rotl(v2, 32);
    }
    // Recursion instead of loops, which compilers do not unroll at -O2.
    template <int N>
    [[gnu::always_inline]] constexpr void rounds() noexcept {
      round();
      if constexpr (N > 1) rounds<N - 1>();
    }
    template <std::size_t I, std::size_t N>
    [[gnu::always_inline]] constexpr void absorb_pairs(const std::uint32_t (&words)[N]) noexcept {
      if constexpr (I + 1 < N) {
        absorb(words[I] | (std::uint64_t{words[I + 1]} << 32));
        absorb_pairs<I + 2>(words);
      }
    }
    template <std::size_t I, std::size_t N>
    [[gnu::always_inline]] constexpr void absorb_blocks(const std::uint64_t (&blocks)[N]) noexcept {
      if constexpr (I + 1 < N) {
        absorb(blocks[I]);
        absorb_blocks<I + 1>(blocks);
      }
    }
    [[gnu::always_inline]] constexpr void absorb(std::uint64_t m) noexcept {
      v3 ^= m;
      rounds<C>();
      v0 ^= m;
    }
    [[gnu::always_inline]] constexpr std::uint64_t finish(std::uint64_t last) noexcept {
      absorb(last);
      v2 ^= 0xff;
      rounds<D>();
      return v0 ^ v1 ^ v2 ^ v3;
    }
  };
  static constexpr std::uint64_t load(const std::uint8_t* bytes, std::size_t n) noexcept {
    std::uint64_t v = 0;
    for (std::size_t i = 0; i < n; ++i) v |= std::uint64_t{bytes[i]} << (8 * i);
    return v;
  }

 public:
  class opening {
   public:
    constexpr opening() noexcept = default;

   private:
    friend struct siphash;
    constexpr explicit opening(const state& s) noexcept : reached_{s} {}
    state reached_{};
  };
};

using default_hashing = siphash<2, 4>;

namespace slot {
struct hashing {
  static constexpr const char* name = "hashing";
};
}  // namespace slot
/// Keyword: the keyed hash.
template <hashing_policy P = default_hashing>
struct hashing {
  using slot = listenq::slot::hashing;
  using policy = P;
};

}  // namespace listenq
