// SPDX-License-Identifier: BSL-1.0
// The cookie of TLDK (lib/libtle_l4p/syncookie.h, sync_gen_seq and sync_check_ack): MAC + time,
//
//   31                              2 1   0
//   our millisecond clock, rounded to 4 | MSS      all of it under the MAC of the peer's ISN and the four-tuple
//
// Every time of the last 131 s is good, so that of 2^32 guesses 2^17 are right: the weakest layout of those here.
#pragma once

#include <listenq/policy/cookie/codec.hpp>
#include <listenq/policy/cookie/key_ring.hpp>
#include <listenq/policy/cookie/window.hpp>

namespace listenq {

/// Our timestamp's low four bits are the peer's window scale, two more are 0; it is always a step behind the clock.
/// SACK does not come back. The MAC is SipHash-2-4 under a user's key, which TLDK has beside its Jenkins hash; the
/// order of its words, and that a scale of 0 reads as none, are not verified.
struct tldk_cookie {
  static constexpr const char* name = "tldk_cookie";
  using key_type = siphash_key;
  using keys = static_key;
  using window = any_time;
  static constexpr cookie_capacity carries{.window_scale = true, .only_with_timestamps = true};

  static constexpr std::uint32_t life = 0x20000;  ///< milliseconds
  static constexpr std::uint16_t mss_table[2][4] = {{536, 1300, 1440, 1460}, {1220, 1420, 1440, 8940}};

  static constexpr seq_number make(const key_type& key, std::uint32_t, const cookie_facts& f, const cookie_options& o,
                                   instant now) noexcept {
    return mac(key, f) + ((clock_of(now) & ~3U) | detail::round_down(mss_table[f.ipv6], o.mss));
  }
  static constexpr std::optional<cookie_options> check(const key_type& key, std::uint32_t, const cookie_facts& f,
                                                       seq_number cookie, instant now) noexcept {
    const std::uint32_t rest = cookie - mac(key, f);
    if (clock_of(now) - (rest & ~3U) > life) return std::nullopt;
    return cookie_options{.mss = mss_table[f.ipv6][rest & 3U]};
  }

  static constexpr std::uint32_t stamp(std::uint32_t clock, const cookie_options& o) noexcept {
    return ((clock - 0x40U) & ~0x3fU) | (o.scales() ? o.send_scale & 0xfU : 0U);
  }
  static constexpr bool unstamp(std::uint32_t echo, const cookie_options&, cookie_options& o) noexcept {
    if ((echo & 0xfU) != 0) o.send_scale = static_cast<std::uint8_t>(echo & 0xfU);
    return true;
  }

 private:
  static constexpr std::uint32_t clock_of(instant now) noexcept {
    return static_cast<std::uint32_t>(now / millisecond);
  }
  static constexpr std::uint32_t mac(const key_type& key, const cookie_facts& f) noexcept {
    const std::uint32_t more[] = {f.peer_isn};
    return static_cast<std::uint32_t>(detail::keyed_hash(key, f, more));
  }
};

}  // namespace listenq
