// SPDX-License-Identifier: BSL-1.0
// The cookie of Linux 3.12 (net/ipv4/syncookies.c, net/ipv6/syncookies.c). The layout is that of `counted_cookie`: t
// counts minutes, four are good (COUNTER_TRIES 4), the MAC is a step of SHA-1, the index has 3 bits.
#pragma once

#include <bit>
#include <cstddef>
#include <listenq/policy/cookie/codec.hpp>
#include <listenq/policy/cookie/key_ring.hpp>
#include <listenq/policy/cookie/sha1.hpp>
#include <listenq/policy/cookie/window.hpp>
#include <listenq/static_array.hpp>

namespace listenq {

/// syncookie_secret[2]: as many words as fill the block behind the four-tuple, then the five that SHA-1 starts from.
struct linux_3_12_cookie_key {
  static_array<std::uint32_t, 17> tuple{};
  static_array<std::uint32_t, 17> minute{};
  friend constexpr bool operator==(const linux_3_12_cookie_key&, const linux_3_12_cookie_key&) = default;
};

namespace detail {

/// The second word of what one step of SHA-1 makes of the addresses, the ports, t and the secret, which is also what it
/// starts from (cookie_hash). As a little-endian machine lays it out: the ports come out exchanged, t byte by byte
/// turned round. A four-tuple that does not fit into one block takes more steps.
constexpr std::uint32_t linux_sha1_mac(const linux_3_12_cookie_key& key, const cookie_facts& f, std::uint32_t t,
                                       int half) noexcept {
  const static_array<std::uint32_t, 17>& secret = half == 0 ? key.tuple : key.minute;
  static_array<std::uint32_t, 16> block{};
  const std::size_t said = f.word_count + 1;
  const std::size_t in_last = (said - 1) % block.size() + 1;
  const std::size_t filled = block.size() - in_last;
  sha1_state s;
  for (std::size_t i = 0; i < 5; ++i) s.word[i] = secret[i + (filled < 12 ? filled : 12)];
  for (std::size_t i = 0; i < said; ++i) {
    block[i % block.size()] = i + 1 < f.word_count    ? f.words[i]
                              : i + 1 == f.word_count ? std::rotl(f.words[i], 16)
                                                      : swapped(t);
    if ((i + 1) % block.size() == 0 && i + 1 < said) sha1_absorb(s, block);
  }
  for (std::size_t i = 0; i < filled; ++i) block[in_last + i] = secret[i < 12 ? i : i - 12];
  sha1_absorb(s, block);
  return s.word[1];
}

}  // namespace detail

/// Good for three to four minutes, but tried only 3 s after the last one. Options in the low six bits of the timestamp.
struct linux_3_12_cookie : detail::counted_mss<linux_3_12_cookie>, detail::linux_timestamps<true> {
  static constexpr const char* name = "linux_3_12_cookie";
  using key_type = linux_3_12_cookie_key;
  using keys = static_key;
  using window = after_cookie<3 * second>;

  static constexpr duration period = 60 * second;
  static constexpr std::uint32_t ages = 4;
  static constexpr std::uint16_t mss_table[2][8] = {{64, 512, 536, 1024, 1440, 1460, 4312, 8960},
                                                    {64, 512, 536, 1220, 1420, 1440, 4400, 8940}};

  static constexpr std::uint32_t count(instant now) noexcept { return static_cast<std::uint32_t>(now / period); }
  static constexpr std::uint32_t mac(const key_type& key, const cookie_facts& f, std::uint32_t t, int half) noexcept {
    return detail::linux_sha1_mac(key, f, t, half);
  }
};

}  // namespace listenq
