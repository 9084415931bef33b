// SPDX-License-Identifier: BSL-1.0
// hashing<aes128>: AES-128 in CBC mode as the keyed hash. With the CPU's own AES a four-tuple of IPv4 takes a third of
// the instructions of SipHash-2-4, but the one hash that is waited for takes longer (ten rounds, each of which waits
// for the one before); its keys take 176 bytes instead of 16.
//
// When to use it: where the CPU has AES instructions, which is asked when it runs, for bursts and wherever there is
// other work to do meanwhile. Elsewhere it is the same function, bit for bit, but slower than SipHash, and its table
// look-ups can be timed by whoever shares the cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <listenq/policy/hashing.hpp>
#include <listenq/static_array.hpp>
#include <type_traits>
#include <utility>

namespace listenq {

/// 128 bits; `k0` is the first eight bytes read little endian. All zero is for tests only.
struct aes128_key {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
  friend constexpr bool operator==(const aes128_key&, const aes128_key&) = default;
};

namespace detail {

/// A block of sixteen bytes: two numbers, each little endian. Aligned, so that a round reads its key by itself.
struct alignas(16) aes_block {
  std::uint64_t low = 0, high = 0;
  friend constexpr bool operator==(const aes_block&, const aes_block&) = default;
};
constexpr aes_block operator^(aes_block a, aes_block b) noexcept { return {a.low ^ b.low, a.high ^ b.high}; }

/// The keys of the ten rounds, and the one before them.
using aes_keys = static_array<aes_block, 11>;

using aes_bytes = static_array<std::uint8_t, 16>;
constexpr aes_bytes bytes_of(aes_block b) noexcept {
  aes_bytes s{};
  for (std::size_t i = 0; i < 8; ++i) {
    s[i] = static_cast<std::uint8_t>(b.low >> (8 * i));
    s[8 + i] = static_cast<std::uint8_t>(b.high >> (8 * i));
  }
  return s;
}
constexpr aes_block block_of(const aes_bytes& s) noexcept {
  aes_block b;
  for (std::size_t i = 0; i < 8; ++i) {
    b.low |= std::uint64_t{s[i]} << (8 * i);
    b.high |= std::uint64_t{s[8 + i]} << (8 * i);
  }
  return b;
}

/// Times x in the field of FIPS 197, 4.2.
constexpr std::uint8_t aes_double(std::uint8_t a) noexcept {
  return static_cast<std::uint8_t>((a << 1) ^ ((a >> 7) * 0x1b));
}

/// FIPS 197, 5.1.1: the inverse in the field, of which 3 is a generator, and an affine map of its bits. Plain arrays,
/// which g++ 12 evaluates in a third of the time of std::array.
struct aes_box {
  std::uint8_t at[256]{};
  constexpr std::uint8_t operator[](std::size_t x) const noexcept { return at[x]; }
};
inline constexpr aes_box aes_substitute = [] {
  std::uint8_t power[255]{};
  std::uint8_t exponent[256]{};
  std::uint8_t a = 1;
  for (std::uint8_t i = 0; i < 255; ++i) {
    power[i] = a;
    exponent[a] = i;
    a = static_cast<std::uint8_t>(a ^ aes_double(a));
  }
  aes_box box;
  for (std::size_t x = 0; x < 256; ++x) {
    const unsigned inverse = x == 0 ? 0U : power[(255 - exponent[x]) % 255];
    const unsigned twice = inverse << 8 | inverse;
    box.at[x] = static_cast<std::uint8_t>(inverse ^ (twice >> 4) ^ (twice >> 5) ^ (twice >> 6) ^ (twice >> 7) ^ 0x63U);
  }
  return box;
}();

/// FIPS 197, 5.2.
constexpr aes_keys expand(aes128_key key) noexcept {
  aes_keys all{};
  all[0] = {key.k0, key.k1};
  std::uint8_t constant = 1;
  for (std::size_t i = 1; i < all.size(); ++i) {
    aes_bytes k = bytes_of(all[i - 1]);
    for (std::size_t j = 0; j < 4; ++j) k[j] = static_cast<std::uint8_t>(k[j] ^ aes_substitute[k[12 + (j + 1) % 4]]);
    k[0] = static_cast<std::uint8_t>(k[0] ^ constant);
    for (std::size_t j = 4; j < 16; ++j) k[j] = static_cast<std::uint8_t>(k[j] ^ k[j - 4]);
    constant = aes_double(constant);
    all[i] = block_of(k);
  }
  return all;
}

/// FIPS 197, 5.1, byte by byte.
constexpr aes_block encrypt_by_bytes(const aes_keys& keys, aes_block b) noexcept {
  b = b ^ keys[0];
  for (std::size_t round = 1; round < keys.size(); ++round) {
    const aes_bytes s = bytes_of(b);
    aes_bytes t{};
    for (std::size_t i = 0; i < 16; ++i) t[i] = aes_substitute[s[(i + 4 * (i % 4)) % 16]];
    if (round + 1 < keys.size()) {
      for (std::size_t column = 0; column < 16; column += 4) {
        const aes_bytes u = t;
        const auto all = static_cast<std::uint8_t>(u[column] ^ u[column + 1] ^ u[column + 2] ^ u[column + 3]);
        for (std::size_t i = 0; i < 4; ++i) {
          const auto pair = static_cast<std::uint8_t>(u[column + i] ^ u[column + (i + 1) % 4]);
          t[column + i] = static_cast<std::uint8_t>(u[column + i] ^ all ^ aes_double(pair));
        }
      }
    }
    b = block_of(t) ^ keys[round];
  }
  return b;
}

#if defined(__x86_64__) && defined(__GNUC__)

inline bool has_aes() noexcept { return __builtin_cpu_supports("aes") != 0; }

using aes_register [[gnu::vector_size(16)]] = long long;
inline aes_register in_register(aes_block b) noexcept {
  return aes_register{static_cast<long long>(b.low), static_cast<long long>(b.high)};
}

/// `sizeof...(I)` blocks side by side. Folds and recursion instead of loops, which compilers do not unroll at -O2.
template <std::size_t... I>
struct aes_side_by_side {
  template <std::size_t Round>
  [[gnu::always_inline, gnu::target("aes")]] static void rounds(const aes_keys& keys, aes_register* b) noexcept {
    const aes_register key = in_register(keys[Round]);
    if constexpr (Round == 10) {
      ((b[I] = __builtin_ia32_aesenclast128(b[I], key)), ...);
    } else {
      ((b[I] = __builtin_ia32_aesenc128(b[I], key)), ...);
      rounds<Round + 1>(keys, b);
    }
  }
  [[gnu::always_inline, gnu::target("aes")]] static void encrypt(const aes_keys& keys, aes_register* b) noexcept {
    const aes_register key = in_register(keys[0]);
    ((b[I] ^= key), ...);
    rounds<1>(keys, b);
  }
};

/// Only where `has_aes()`. The halves come by themselves: of a block compilers make two stores and one load, which
/// waits for them.
[[gnu::target("aes")]] inline aes_block encrypt_by_cpu(const aes_keys& keys, std::uint64_t low,
                                                       std::uint64_t high) noexcept {
  aes_register r[1] = {aes_register{static_cast<long long>(low), static_cast<long long>(high)}};
  aes_side_by_side<0>::encrypt(keys, r);
  return {static_cast<std::uint64_t>(r[0][0]), static_cast<std::uint64_t>(r[0][1])};
}
/// The lower half of the same.
[[gnu::target("aes")]] inline std::uint64_t encrypt_low_by_cpu(const aes_keys& keys, std::uint64_t low,
                                                               std::uint64_t high) noexcept {
  aes_register r[1] = {aes_register{static_cast<long long>(low), static_cast<long long>(high)}};
  aes_side_by_side<0>::encrypt(keys, r);
  return static_cast<std::uint64_t>(r[0][0]);
}

/// Eight blocks side by side, in place. Only where `has_aes()`.
[[gnu::target("aes")]] inline void encrypt_eight_by_cpu(const aes_keys& keys, aes_block (&b)[8]) noexcept {
  aes_register r[8] = {in_register(b[0]), in_register(b[1]), in_register(b[2]), in_register(b[3]),
                       in_register(b[4]), in_register(b[5]), in_register(b[6]), in_register(b[7])};
  aes_side_by_side<0, 1, 2, 3, 4, 5, 6, 7>::encrypt(keys, r);
  for (std::size_t k = 0; k < 8; ++k) std::memcpy(static_cast<void*>(&b[k]), &r[k], sizeof(b[k]));
}

#else

constexpr bool has_aes() noexcept { return false; }
constexpr aes_block encrypt_by_cpu(const aes_keys& keys, std::uint64_t low, std::uint64_t high) noexcept {
  return encrypt_by_bytes(keys, {low, high});
}
constexpr std::uint64_t encrypt_low_by_cpu(const aes_keys& keys, std::uint64_t low, std::uint64_t high) noexcept {
  return encrypt_by_bytes(keys, {low, high}).low;
}
constexpr void encrypt_eight_by_cpu(const aes_keys&, aes_block (&)[8]) noexcept {}

#endif

}  // namespace detail

/// CBC-MAC of the number of words, then the words, each four bytes little endian, then zeros to the end of a block: a
/// message says first how long it is, so that none begins another (Petrank and Rackoff 2000: then it is a pseudo-random
/// function). A four-tuple of IPv4 is one block. The hash is the first eight bytes, little endian.
class aes128 {
 public:
  static constexpr const char* name = "aes128";
  constexpr aes128() noexcept : aes128{aes128_key{}} {}
  constexpr explicit aes128(const aes128_key& key) noexcept : keys_{detail::expand(key)} {}

  constexpr std::uint64_t hash(const std::uint32_t* words, std::size_t n) const noexcept {
    detail::aes_block chain{};
    for (std::size_t b = 0; b < blocks(n); ++b) {
      chain = encrypt(chain ^ block(b, n, [words](std::size_t i) { return words[i]; }));
    }
    return chain.low;
  }
  /// The same where the number of words is known.
  template <std::size_t N>
  [[gnu::always_inline]] constexpr std::uint64_t hash(const std::uint32_t (&words)[N]) const noexcept {
    return chain_from<0>({}, words);
  }

  /// Is `hash_eight` cheaper than eight hashes? Asked of the CPU.
  static constexpr bool hashes_eight() noexcept { return !std::is_constant_evaluated() && detail::has_aes(); }
  /// Eight at once: `words[i][k]` is the i-th word of the k-th, `out[k]` its hash, the same as from `hash`. Only where
  /// `hashes_eight()`.
  template <std::size_t N>
  void hash_eight(const std::uint32_t (&words)[N][8], std::uint64_t (&out)[8]) const noexcept {
    detail::aes_block chain[8];
    for (std::size_t k = 0; k < 8; ++k) chain[k] = block(0, N, [&words, k](std::size_t i) { return words[i][k]; });
    detail::encrypt_eight_by_cpu(keys_, chain);
    for (std::size_t b = 1; b < blocks(N); ++b) {
      for (std::size_t k = 0; k < 8; ++k) {
        chain[k] = chain[k] ^ block(b, N, [&words, k](std::size_t i) { return words[i][k]; });
      }
      detail::encrypt_eight_by_cpu(keys_, chain);
    }
    for (std::size_t k = 0; k < 8; ++k) out[k] = chain[k].low;
  }

  /// A block as FIPS 197 encrypts it.
  [[gnu::always_inline]] constexpr detail::aes_block encrypt(detail::aes_block b) const noexcept {
    if (!std::is_constant_evaluated() && detail::has_aes()) return detail::encrypt_by_cpu(keys_, b.low, b.high);
    return detail::encrypt_by_bytes(keys_, b);
  }

 private:
  static constexpr std::size_t blocks(std::size_t n) noexcept { return n / 4 + 1; }
  /// The `b`-th four of: n, the words, zeros.
  template <class Word>
  [[gnu::always_inline]] static constexpr detail::aes_block block(std::size_t b, std::size_t n, Word word) noexcept {
    const auto at = [&](std::size_t i) -> std::uint64_t { return i == 0 ? n : i <= n ? word(i - 1) : 0; };
    return {at(4 * b) | at(4 * b + 1) << 32, at(4 * b + 2) | at(4 * b + 3) << 32};
  }
  template <std::size_t B, std::size_t N>
  [[gnu::always_inline]] constexpr std::uint64_t chain_from(detail::aes_block chain,
                                                            const std::uint32_t (&words)[N]) const noexcept {
    const detail::aes_block b = chain ^ block(B, N, [&words](std::size_t i) { return words[i]; });
    if constexpr (B + 1 < blocks(N)) {
      return chain_from<B + 1>(encrypt(b), words);
    } else {
      if (!std::is_constant_evaluated() && detail::has_aes()) return detail::encrypt_low_by_cpu(keys_, b.low, b.high);
      return detail::encrypt_by_bytes(keys_, b).low;
    }
  }
  detail::aes_keys keys_;
};

}  // namespace listenq
