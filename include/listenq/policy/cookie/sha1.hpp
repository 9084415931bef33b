// SPDX-License-Identifier: BSL-1.0
// SHA-1 (FIPS 180-4), because old cookies are made of it. Not for anything new: collisions have been found, and it is
// several times slower than the SipHash that replaced it in Linux 4.13.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <listenq/static_array.hpp>

namespace listenq {

/// The five words of the state; a default-constructed one is the standard's start.
struct sha1_state {
  static_array<std::uint32_t, 5> word{0x67452301U, 0xefcdab89U, 0x98badcfeU, 0x10325476U, 0xc3d2e1f0U};
  friend constexpr bool operator==(const sha1_state&, const sha1_state&) = default;
};

/// One step: a block of sixteen words (big-endian numbers of the message) is stirred into the state.
constexpr void sha1_absorb(sha1_state& s, const static_array<std::uint32_t, 16>& block) noexcept {
  static_array<std::uint32_t, 80> w{};
  for (std::size_t i = 0; i < 16; ++i) w[i] = block[i];
  for (std::size_t i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  auto [a, b, c, d, e] = s.word.items;
  for (std::size_t i = 0; i < 80; ++i) {
    const std::uint32_t mixed = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999U
                                : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1U
                                : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcU
                                         : (b ^ c ^ d) + 0xca62c1d6U;
    const std::uint32_t next = std::rotl(a, 5) + mixed + e + w[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  const static_array<std::uint32_t, 5> sum{a, b, c, d, e};
  for (std::size_t i = 0; i < 5; ++i) s.word[i] += sum[i];
}

/// The whole function, a byte at a time.
class sha1 {
 public:
  constexpr void add(std::uint8_t byte) noexcept {
    put(byte);
    ++bytes_;
  }
  /// The four bytes of `v`, the most significant one first.
  constexpr void add_word(std::uint32_t v) noexcept {
    for (int shift = 24; shift >= 0; shift -= 8) add(static_cast<std::uint8_t>(v >> shift));
  }
  /// The digest. Nothing can be added after that.
  constexpr static_array<std::uint32_t, 5> digest() noexcept {
    const std::uint64_t bits = bytes_ * 8;
    put(0x80);
    while (at_ != 56) put(0);
    for (int shift = 56; shift >= 0; shift -= 8) put(static_cast<std::uint8_t>(bits >> shift));
    return state_.word;
  }

 private:
  constexpr void put(std::uint8_t byte) noexcept {
    std::uint32_t& w = block_[at_ / 4];
    w = (w << 8) | byte;
    if (++at_ == 64) {
      sha1_absorb(state_, block_);
      at_ = 0;
    }
  }

  sha1_state state_{};
  static_array<std::uint32_t, 16> block_{};
  std::size_t at_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace listenq
