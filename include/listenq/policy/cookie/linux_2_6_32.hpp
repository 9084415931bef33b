// SPDX-License-Identifier: BSL-1.0
// The cookie of Linux 2.6.32: that of 3.12 with another table of MSS and nine bits in the timestamp.
#pragma once

#include <listenq/policy/cookie/linux_3_12.hpp>

namespace listenq {

/// Our timestamp's low nine bits: 0-3 the peer's window scale, 4-7 ours, 8 SACK. A scale of 0 on both sides reads as
/// none; ECN does not come back; SACK that was never on offer is passed over (cookie_check_timestamp returns nothing).
struct linux_2_6_32_cookie : detail::counted_mss<linux_2_6_32_cookie> {
  static constexpr const char* name = "linux_2_6_32_cookie";
  using key_type = linux_3_12_cookie_key;
  using keys = static_key;
  using window = after_cookie<3 * second>;
  static constexpr cookie_capacity carries{.window_scale = true, .sack = true, .only_with_timestamps = true};

  static constexpr duration period = 60 * second;
  static constexpr std::uint32_t ages = 4;
  static constexpr std::uint16_t mss_table[2][8] = {{64, 256, 512, 536, 1024, 1440, 1460, 4312},
                                                    {64, 256, 512, 536, 1024, 1440, 1460, 4312}};

  static constexpr std::uint32_t count(instant now) noexcept { return static_cast<std::uint32_t>(now / period); }
  static constexpr std::uint32_t mac(const key_type& key, const cookie_facts& f, std::uint32_t t, int half) noexcept {
    return detail::linux_sha1_mac(key, f, t, half);
  }

  static constexpr std::uint32_t stamp(std::uint32_t clock, const cookie_options& o) noexcept {
    const std::uint32_t scales =
        o.scales() ? (o.send_scale & 0xfU) | (static_cast<std::uint32_t>(o.receive_scale & 0xfU) << 4) : 0U;
    return detail::in_low_bits<9>(clock, scales | (o.sack ? 0x100U : 0U));
  }
  static constexpr bool unstamp(std::uint32_t echo, const cookie_options& offered, cookie_options& o) noexcept {
    o.sack = offered.sack && (echo & 0x100U) != 0;
    if ((echo & 0xffU) != 0) {
      o.send_scale = static_cast<std::uint8_t>(echo & 0xfU);
      o.receive_scale = static_cast<std::uint8_t>((echo >> 4) & 0xfU);
    }
    return true;
  }
};

}  // namespace listenq
