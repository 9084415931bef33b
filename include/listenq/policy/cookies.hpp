// SPDX-License-Identifier: BSL-1.0
// cookies: when a SYN is answered without keeping anything, and in which layout the answer hides what must come back.
// A codec turns a SYN into an ISN and an ACK back into the options; the models here say when that is done.
//
// When to use which: `under_pressure<codec>` once the request queue is full, `always<codec>` for a listener that never
// stores a request, `cookies_if_tuned<codec>` to let tcp_syncookies choose, `no_cookies` for stacks that have none.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/policy/hashing.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/segment.hpp>
#include <optional>

namespace listenq {

enum class cookie_mode : std::uint8_t { off, under_pressure, always };

/// What a cookie is made of: the words of the four-tuple, the peer's ISN and its options.
struct cookie_facts {
  const std::uint32_t* words = nullptr;  ///< addresses and ports, as hashed
  std::size_t word_count = 0;
  seq_number peer_isn = 0;
  std::uint16_t peer_mss = 536;
};

/// A layout. `make` yields our ISN; `check` yields the MSS if `cookie` was made for these facts (the MSS apart) and has
/// not expired; `encode`/`decode` keep options in the low bits of our timestamp clock, `decode` yields nothing when the
/// bits show an option that was never on offer. Cookies work for `overflow_window` after the last one was sent.
template <class C>
concept cookie_codec = std::default_initializable<C> &&
    requires(const C& c, const cookie_facts& f, instant now, seq_number cookie, std::uint32_t clock,
             const tcp_options& o, bool ecn) {
  { c.make(f, now) } -> std::same_as<seq_number>;
  { c.check(f, cookie, now) } -> std::same_as<std::optional<std::uint16_t>>;
  { C::encode(clock, o, ecn) } -> std::same_as<std::uint32_t>;
  { C::decode(clock) } -> std::same_as<std::optional<tcp_options>>;
  { C::ecn(clock) } -> std::same_as<bool>;
  { C::overflow_window } -> std::convertible_to<duration>;
};

/// The layout of Linux 6.18 for IPv4 (net/ipv4/syncookies.c): 8 bits of minutes over 24 bits of MAC plus a 2-bit MSS
/// index, two keys, good for one to two minutes; window scale, SACK and ECN in the low 6 bits of the timestamp.
struct linux_6_18_cookie {
  static constexpr const char* name = "linux_6_18_cookie";
  static constexpr duration overflow_window = 120 * second;
  static constexpr duration period = 60 * second;
  static constexpr std::uint32_t max_age = 2;  ///< periods

  siphash<> tuple_key{};   ///< covers the four-tuple
  siphash<> period_key{};  ///< covers the four-tuple and the period

  constexpr seq_number make(const cookie_facts& f, instant now) const noexcept {
    const std::uint32_t t = count(now);
    std::uint32_t index = mss_count - 1;
    while (index > 0 && f.peer_mss < mss_table[index]) --index;
    return mac(tuple_key, f, 0) + f.peer_isn + (t << 24) + ((mac(period_key, f, t) + index) & 0xffffffU);
  }
  constexpr std::optional<std::uint16_t> check(const cookie_facts& f, seq_number cookie, instant now) const noexcept {
    const std::uint32_t rest = cookie - mac(tuple_key, f, 0) - f.peer_isn;
    const std::uint32_t t = count(now);
    const std::uint32_t age = (t - (rest >> 24)) & 0xffU;
    if (age >= max_age) return std::nullopt;
    const std::uint32_t index = (rest - mac(period_key, f, t - age)) & 0xffffffU;
    if (index >= mss_count) return std::nullopt;
    return mss_table[index];
  }
  /// Bits 0-3 the peer's window scale (15: none), 4 SACK, 5 ECN; never later than the clock.
  static constexpr std::uint32_t encode(std::uint32_t clock, const tcp_options& o, bool ecn) noexcept {
    const std::uint32_t bits =
        (o.has_window_scale() ? o.window_scale & 0xfU : 0xfU) | (o.sack_permitted ? 0x10U : 0U) | (ecn ? 0x20U : 0U);
    const std::uint32_t ts = (clock & ~0x3fU) | bits;
    return ts > clock ? ts - 0x40U : ts;
  }
  static constexpr std::optional<tcp_options> decode(std::uint32_t echo) noexcept {
    tcp_options o;
    o.timestamps = true;
    o.sack_permitted = (echo & 0x10U) != 0;
    if ((echo & 0xfU) != 0xfU) o.window_scale = static_cast<std::uint8_t>(echo & 0xfU);
    return o;
  }
  static constexpr bool ecn(std::uint32_t echo) noexcept { return (echo & 0x20U) != 0; }

 private:
  static constexpr std::uint32_t mss_count = 4;
  static constexpr std::uint16_t mss_table[mss_count] = {536, 1300, 1440, 1460};
  static constexpr std::uint32_t count(instant now) noexcept { return static_cast<std::uint32_t>(now / period); }
  static constexpr std::uint32_t mac(const siphash<>& h, const cookie_facts& f, std::uint32_t t) noexcept {
    std::uint32_t words[max_words + 1]{};
    std::size_t n = 0;
    for (; n < f.word_count && n < max_words; ++n) words[n] = f.words[n];
    words[n++] = t;
    return static_cast<std::uint32_t>(h.hash(words, n));
  }
  static constexpr std::size_t max_words = 16;
};

/// `mode(tunables)` and a codec; the codec's keys are the policy's state.
template <class P>
concept cookies_policy = std::default_initializable<P> && requires(const P& p, const any_tunables& t) {
  { P::mode(t) } -> std::same_as<cookie_mode>;
  { P::possible } -> std::convertible_to<bool>;
};

/// Never.
struct no_cookies {
  static constexpr const char* name = "no_cookies";
  static constexpr bool possible = false;
  static constexpr cookie_mode mode(const tunable_source auto&) noexcept { return cookie_mode::off; }
};

/// When the request queue is full.
template <cookie_codec Codec>
struct under_pressure {
  static constexpr const char* name = "under_pressure";
  static constexpr bool possible = true;
  Codec codec{};
  static constexpr cookie_mode mode(const tunable_source auto&) noexcept { return cookie_mode::under_pressure; }
};

/// For every SYN; the request queue stays empty.
template <cookie_codec Codec>
struct always {
  static constexpr const char* name = "always";
  static constexpr bool possible = true;
  Codec codec{};
  static constexpr cookie_mode mode(const tunable_source auto&) noexcept { return cookie_mode::always; }
};

/// As the administrator says: 0 never, 1 under pressure, 2 always (Linux, tcp_syncookies).
template <cookie_codec Codec>
struct cookies_if_tuned {
  static constexpr const char* name = "cookies_if_tuned";
  static constexpr bool possible = true;
  static constexpr tunable_set tunables{tunable::syncookies};
  Codec codec{};
  static constexpr cookie_mode mode(const tunable_source auto& t) noexcept {
    const std::uint32_t v = t[tunable::syncookies];
    return v == 0 ? cookie_mode::off : v == 1 ? cookie_mode::under_pressure : cookie_mode::always;
  }
};

using default_cookies = no_cookies;

namespace slot {
struct cookies {
  static constexpr const char* name = "cookies";
};
}  // namespace slot
/// Keyword: when nothing is kept.
template <cookies_policy P = default_cookies>
struct cookies {
  using slot = listenq::slot::cookies;
  using policy = P;
};

}  // namespace listenq
