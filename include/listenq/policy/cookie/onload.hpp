// SPDX-License-Identifier: BSL-1.0
// The cookie of Onload (src/lib/transport/ip/tcp_syncookie.c, ci_tcp_syncookie_syn and ci_tcp_syncookie_ack).
//
//   31                  8 7         3 2     0
//   MAC, its low 24 bits | t mod 32  | MSS        t counts 8 s; the running one and the one before it are good
//
// The peer's ISN is not in it, and the MAC covers t only modulo 32: the same ACK is good again 256 s later.
#pragma once

#include <listenq/policy/cookie/codec.hpp>
#include <listenq/policy/cookie/key_ring.hpp>
#include <listenq/policy/cookie/window.hpp>

namespace listenq {

/// `MaxMss`: of the interface; what is at least this is read back as this. Else the largest entry *below* the peer's:
/// an MSS that is in the table comes back as the entry before it. Our timestamp's low nine bits: 0-3 our window scale,
/// 4-7 the peer's, 8 SACK; scales that are both 0 read as none. IPv4 only there. Its window is not verified.
template <std::uint16_t MaxMss = 1460>
struct onload_cookie {
  static constexpr const char* name = "onload_cookie";
  using key_type = siphash_key;
  using keys = static_key;
  using window = any_time;
  static constexpr cookie_capacity carries{.window_scale = true, .sack = true, .only_with_timestamps = true};

  static constexpr duration period = 8 * second;
  static constexpr std::uint32_t ages = 2;
  static constexpr std::uint16_t mss_table[8] = {64, 512, 536, 1024, 1220, 1440, 1460, MaxMss};

  static constexpr seq_number make(const key_type& key, std::uint32_t, const cookie_facts& f, const cookie_options& o,
                                   instant now) noexcept {
    std::uint32_t m = 7;
    if (o.mss < MaxMss) {
      for (m = 6; m > 0 && o.mss <= mss_table[m];) --m;
    }
    const std::uint32_t low = (count(now) << 3) | m;
    return low | (mac(key, f, low) << 8);
  }
  static constexpr std::optional<cookie_options> check(const key_type& key, std::uint32_t, const cookie_facts& f,
                                                       seq_number cookie, instant now) noexcept {
    const std::uint32_t low = cookie & 0xffU;
    const std::uint32_t age = (count(now) - (low >> 3)) & 31U;
    if (age >= ages || cookie >> 8 != (mac(key, f, low) & 0xffffffU)) return std::nullopt;
    return cookie_options{.mss = mss_table[low & 7U]};
  }

  static constexpr std::uint32_t stamp(std::uint32_t clock, const cookie_options& o) noexcept {
    const std::uint32_t scales =
        o.scales() ? (o.receive_scale & 0xfU) | (static_cast<std::uint32_t>(o.send_scale & 0xfU) << 4) : 0U;
    return detail::in_low_bits<9>(clock, scales | (o.sack ? 0x100U : 0U));
  }
  static constexpr bool unstamp(std::uint32_t echo, const cookie_options& offered, cookie_options& o) noexcept {
    o.sack = offered.sack && (echo & 0x100U) != 0;
    if ((echo & 0xffU) != 0) {
      o.receive_scale = static_cast<std::uint8_t>(echo & 0xfU);
      o.send_scale = static_cast<std::uint8_t>((echo >> 4) & 0xfU);
    }
    return true;
  }

 private:
  static constexpr std::uint32_t count(instant now) noexcept { return static_cast<std::uint32_t>(now / period) & 31U; }
  /// Our port, the peer's, our address, the peer's, as on the wire, then the low byte.
  static constexpr std::uint32_t mac(const key_type& key, const cookie_facts& f, std::uint32_t low) noexcept {
    const std::size_t address = (f.word_count - 1) / 2;
    const auto word = [&](std::size_t i) {
      if (i == f.word_count) return low;
      if (i == 0) return detail::swapped((f.words[2 * address] << 16) | (f.words[2 * address] >> 16));
      return detail::swapped(f.words[i <= address ? address + i - 1 : i - address - 1]);
    };
    return static_cast<std::uint32_t>(siphash<2, 4>{key}.hash_bytes(word, 4 * f.word_count + 1));
  }
};

}  // namespace listenq
