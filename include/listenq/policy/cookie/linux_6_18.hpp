// SPDX-License-Identifier: BSL-1.0
// The cookie of Linux 6.18 (net/ipv4/syncookies.c, net/ipv6/syncookies.c). The layout is that of `counted_cookie`: t
// counts minutes, two are good (MAX_SYNCOOKIE_AGE 2), the MAC is SipHash-2-4, the index has 2 bits.
#pragma once

#include <listenq/policy/cookie/codec.hpp>
#include <listenq/policy/cookie/key_ring.hpp>
#include <listenq/policy/cookie/window.hpp>

namespace listenq {

/// One key for the four-tuple alone, one for the four-tuple and the minute.
struct linux_6_18_cookie_key {
  siphash_key tuple{};
  siphash_key minute{};
  friend constexpr bool operator==(const linux_6_18_cookie_key&, const linux_6_18_cookie_key&) = default;
};

/// Good for one to two minutes. Options in the low six bits of the timestamp; without timestamps only the MSS.
struct linux_6_18_cookie : detail::counted_mss<linux_6_18_cookie>, detail::linux_timestamps<false> {
  static constexpr const char* name = "linux_6_18_cookie";
  using key_type = linux_6_18_cookie_key;
  using keys = static_key;
  using window = after_cookie<120 * second, 1 * second>;

  static constexpr duration period = 60 * second;
  static constexpr std::uint32_t ages = 2;
  static constexpr std::uint16_t mss_table[2][4] = {{536, 1300, 1440, 1460}, {1220, 1420, 1440, 8940}};

  static constexpr std::uint32_t count(instant now) noexcept { return static_cast<std::uint32_t>(now / period); }
  static constexpr std::uint32_t mac(const key_type& key, const cookie_facts& f, std::uint32_t t, int half) noexcept {
    const std::uint32_t more[] = {t};
    return static_cast<std::uint32_t>(detail::keyed_hash(half == 0 ? key.tuple : key.minute, f, more));
  }
  /// Both, of the same facts: a cookie that is made has to wait for neither.
  [[gnu::always_inline]] static constexpr detail::number_pair macs(const key_type& key, const cookie_facts& f,
                                                                   std::uint32_t t) noexcept {
    return detail::keyed_hashes(key.tuple, 0, key.minute, t, f);
  }
  /// And of eight four-tuples at once, for cookies that are made at `now`.
  static bool hashes_eight() noexcept { return siphash<2, 4>::hashes_eight(); }
  template <std::size_t N>
  static void macs_of_eight(const key_type& key, const std::uint64_t (&pairs)[N][8], instant now,
                            detail::eight_macs& out) noexcept {
    detail::keyed_hashes_of_eight(key.tuple, 0, key.minute, count(now), pairs, out);
  }
};

}  // namespace listenq
