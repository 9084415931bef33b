// SPDX-License-Identifier: BSL-1.0
// The cookie as D. J. Bernstein described it in 1996 (cr.yp.to/syncookies.html): what is added to the peer's ISN is
//
//   31       27 26   24 23                     0
//   t mod 32   | MSS   | MAC of four-tuple and t      t counts 64 s
#pragma once

#include <listenq/policy/cookie/codec.hpp>
#include <listenq/policy/cookie/key_ring.hpp>
#include <listenq/policy/cookie/window.hpp>

namespace listenq {

/// `Ages` values of t are good, from the running one backwards; the text says "recent". It leaves open the function and
/// the table, too: here SipHash-2-4, and the table of Linux 2.6.32. Only the MSS comes back, and
/// who answers may put another in its place: it is not under the MAC.
template <std::uint32_t Ages = 2>
struct bernstein_cookie : detail::plain_timestamps {
  static_assert(Ages > 0 && Ages <= 32, "listenq: bernstein_cookie<ages> needs between 1 and 32 ages.");
  static constexpr const char* name = "bernstein_cookie";
  using key_type = siphash_key;
  using keys = static_key;
  using window = after_cookie<duration{Ages} * 64 * second>;
  static constexpr cookie_capacity carries{};

  static constexpr duration period = 64 * second;
  static constexpr std::uint32_t ages = Ages;
  static constexpr std::uint16_t mss_table[8] = {64, 256, 512, 536, 1024, 1440, 1460, 4312};

  static constexpr seq_number make(const key_type& key, std::uint32_t, const cookie_facts& f, const cookie_options& o,
                                   instant now) noexcept {
    const std::uint32_t t = count(now);
    return f.peer_isn + ((t << 27) | (detail::round_down(mss_table, o.mss) << 24) | mac(key, f, t));
  }
  static constexpr std::optional<cookie_options> check(const key_type& key, std::uint32_t, const cookie_facts& f,
                                                       seq_number cookie, instant now) noexcept {
    const std::uint32_t rest = cookie - f.peer_isn;
    const std::uint32_t t = count(now);
    const std::uint32_t age = (t - (rest >> 27)) & 31U;
    if (age >= Ages || (rest & 0xffffffU) != mac(key, f, t - age)) return std::nullopt;
    return cookie_options{.mss = mss_table[(rest >> 24) & 7U]};
  }

 private:
  static constexpr std::uint32_t count(instant now) noexcept { return static_cast<std::uint32_t>(now / period); }
  static constexpr std::uint32_t mac(const key_type& key, const cookie_facts& f, std::uint32_t t) noexcept {
    const std::uint32_t more[] = {t};
    return static_cast<std::uint32_t>(detail::keyed_hash(key, f, more)) & 0xffffffU;
  }
};

}  // namespace listenq
