// SPDX-License-Identifier: BSL-1.0
// The cookie of FreeBSD 13 (sys/netinet/tcp_syncache.c, syncookie_generate and syncookie_lookup): all options in the
// ISN.
//
//   31                    8 7     5 4   2 1    0
//   MAC, its upper 24 bits | scale | MSS | SACK | key     the low byte XOR the MAC's uppermost byte
//
// scale: index 0 none, else of 0, 1, 2, 4, 6, 7, 8; MSS: index; key: odd or even number of the key. Both round down.
#pragma once

#include <listenq/policy/cookie/codec.hpp>
#include <listenq/policy/cookie/key_ring.hpp>
#include <listenq/policy/cookie/window.hpp>

namespace listenq {

/// The MAC is SipHash-2-4 of the addresses and ports as on the wire, the peer's ISN, the low byte and the bucket (the
/// kernel takes the bucket's address, this its number), folded to 32 bits. It lives as long as its key.
struct freebsd_13_cookie : detail::plain_timestamps {
  static constexpr const char* name = "freebsd_13_cookie";
  using key_type = siphash_key;
  using keys = derived_keys<15 * second>;
  using window = after_bucket_overflow<15 * second>;
  static constexpr cookie_capacity carries{.window_scale = true, .sack = true};

  static constexpr std::uint16_t mss_table[8] = {216, 536, 1200, 1360, 1400, 1440, 1452, 1460};
  static constexpr std::uint8_t scale_table[8] = {0, 0, 1, 2, 4, 6, 7, 8};

  static constexpr seq_number make(const key_type& key, std::uint32_t number, const cookie_facts& f,
                                   const cookie_options& o, instant) noexcept {
    const std::uint32_t scale = o.scales() ? detail::round_down(scale_table, o.send_scale) : 0U;
    const std::uint32_t bits =
        (scale << 5) | (detail::round_down(mss_table, o.mss) << 2) | (o.sack ? 2U : 0U) | (number & 1U);
    const std::uint32_t m = mac(key, f, bits);
    return (m & ~0xffU) | (bits ^ (m >> 24));
  }
  static constexpr std::optional<cookie_options> check(const key_type& key, std::uint32_t number, const cookie_facts& f,
                                                       seq_number cookie, instant) noexcept {
    const std::uint32_t bits = (cookie & 0xffU) ^ (cookie >> 24);
    if ((bits & 1U) != (number & 1U) || ((cookie ^ mac(key, f, bits)) & ~0xffU) != 0) return std::nullopt;
    cookie_options o{.mss = mss_table[(bits >> 2) & 7U]};
    if (bits >> 5 != 0) o.send_scale = scale_table[bits >> 5];
    o.sack = (bits & 2U) != 0;
    return o;
  }

 private:
  static constexpr std::uint32_t mac(const key_type& key, const cookie_facts& f, std::uint32_t bits) noexcept {
    const auto low = static_cast<std::uint32_t>(f.bucket);
    const auto high = static_cast<std::uint32_t>(f.bucket >> 32);
    const std::uint32_t tail[] = {f.peer_isn, bits | (low << 8), (low >> 24) | (high << 8), high >> 24};
    const auto word = [&](std::size_t i) {
      return i < f.word_count ? detail::swapped(f.words[i]) : tail[i - f.word_count];
    };
    const std::uint64_t h = siphash<2, 4>{key}.hash_bytes(word, 4 * f.word_count + 13);
    return static_cast<std::uint32_t>(h) ^ static_cast<std::uint32_t>(h >> 32);
  }
};

}  // namespace listenq
