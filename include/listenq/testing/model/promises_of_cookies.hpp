// SPDX-License-Identifier: BSL-1.0
// What cookies promise: which layout shows what for how long, by which keys, and when an ACK is tried at all. Nobody
// can foretell a cookie without the key, so the rules say what those that were sent are good for. Part of rules_of.hpp.
#pragma once

#include <listenq/testing/model/rules_of.hpp>

namespace listenq::testing {

/// What a layout shows: its tables are those of the kernels.
template <class Codec>
struct codec_promise;

/// The largest entry that is not above it, or the first.
template <std::size_t N>
std::uint32_t entry_for(const std::uint16_t (&table)[N], std::uint32_t mss) {
  std::uint32_t at = 0;
  for (std::uint32_t i = 0; i < N; ++i) {
    if (table[i] <= mss) at = i;
  }
  return at;
}
/// The latest time up to `clock` whose low bits are these.
inline std::uint32_t latest_with(std::uint32_t clock, std::uint32_t width, std::uint32_t bits) {
  while (clock % (1U << width) != bits) --clock;
  return clock;
}
/// Linux, secure_tcp_syn_cookie: the peer's ISN and the index of the MSS are added to it, so that a number next to a
/// cookie reads as a cookie for another entry. Good while the count of periods has grown by less than `ages`.
template <std::size_t N>
auto counted_reader(const std::uint16_t (&table)[N], duration period, std::int64_t ages, std::int64_t modulus) {
  return [&table, period, ages, modulus](const sent_cookie& c, seq_number value, seq_number irs,
                                         instant now) -> std::optional<cookie_options> {
    const auto off = static_cast<std::int32_t>((value - c.value) - (irs - c.irs));
    const std::int64_t entry = std::int64_t{entry_for(table, c.kept.mss)} + off;
    if ((now / period - c.at / period) % modulus >= ages || entry < 0 || entry >= std::int64_t{N}) return std::nullopt;
    return cookie_options{.mss = table[entry]};
  };
}

/// Bits of the timestamp since 2.6.36: 0-3 the scale, 15 for none, 4 SACK, 5 ECN.
inline void stamped_like_linux(cookie_rules& c, bool ecn_must_be_offered) {
  c.carries = {.window_scale = true, .sack = true, .ecn = true, .only_with_timestamps = true};
  c.stamp = [](std::uint32_t clock, const cookie_options& o) {
    const std::uint32_t scale = o.scales() ? std::uint32_t{o.send_scale} : 15U;
    return latest_with(clock, 6, scale + (o.sack ? 16U : 0U) + (o.ecn ? 32U : 0U));
  };
  c.unstamp = [ecn_must_be_offered](std::uint32_t echo, const cookie_options& offered, cookie_options& o) {
    const bool ecn = (echo & 32U) != 0;
    o.sack = (echo & 16U) != 0;
    o.ecn = ecn && offered.ecn;
    if (echo % 16 != 15) o.send_scale = static_cast<std::uint8_t>(echo % 16);
    return (!o.sack || offered.sack) && (!ecn || offered.ecn || !ecn_must_be_offered);
  };
}
/// Bits of the timestamp in 2.6.32 and Onload: 0-3 and 4-7 the scales, none if both are 0, 8 SACK.
inline void stamped_in_nine_bits(cookie_rules& c, bool peers_scale_first) {
  c.carries = {.window_scale = true, .sack = true, .only_with_timestamps = true};
  c.stamp = [peers_scale_first](std::uint32_t clock, const cookie_options& o) {
    const std::uint32_t low = peers_scale_first ? o.send_scale : o.receive_scale;
    const std::uint32_t high = peers_scale_first ? o.receive_scale : o.send_scale;
    return latest_with(clock, 9, (o.scales() ? low + 16 * high : 0) + (o.sack ? 256U : 0U));
  };
  c.unstamp = [peers_scale_first](std::uint32_t echo, const cookie_options& offered, cookie_options& o) {
    o.sack = offered.sack && (echo & 256U) != 0;
    if (echo % 256 != 0) {
      o.send_scale = static_cast<std::uint8_t>(peers_scale_first ? echo % 16 : echo / 16 % 16);
      o.receive_scale = static_cast<std::uint8_t>(peers_scale_first ? echo / 16 % 16 : echo % 16);
    }
    return true;
  };
}

template <>
struct codec_promise<linux_2_6_32_cookie> {
  static constexpr std::uint16_t table[] = {64, 256, 512, 536, 1024, 1440, 1460, 4312};
  static void of(rules& r) {
    r.cookies.read = counted_reader(table, 60 * second, 4, 256);
    stamped_in_nine_bits(r.cookies, true);
  }
};
template <>
struct codec_promise<linux_3_12_cookie> {
  static constexpr std::uint16_t v4[] = {64, 512, 536, 1024, 1440, 1460, 4312, 8960};
  static constexpr std::uint16_t v6[] = {64, 512, 536, 1220, 1420, 1440, 4400, 8940};
  static void of(rules& r) {
    r.cookies.read = counted_reader(r.ipv6 ? v6 : v4, 60 * second, 4, 256);
    stamped_like_linux(r.cookies, true);
  }
};
template <>
struct codec_promise<linux_6_18_cookie> {
  static constexpr std::uint16_t v4[] = {536, 1300, 1440, 1460};
  static constexpr std::uint16_t v6[] = {1220, 1420, 1440, 8940};
  static void of(rules& r) {
    r.cookies.read = counted_reader(r.ipv6 ? v6 : v4, 60 * second, 2, 256);
    stamped_like_linux(r.cookies, false);
  }
};
template <>
struct codec_promise<gvisor_cookie> {
  static constexpr std::uint16_t table[] = {536, 1300, 1440, 1460};
  static void of(rules& r) { r.cookies.read = counted_reader(table, 64 * second, 3, 256); }
};
/// The MSS is not under the MAC: three bits that whoever answers may choose.
template <std::uint32_t Ages>
struct codec_promise<bernstein_cookie<Ages>> {
  static constexpr std::uint16_t table[] = {64, 256, 512, 536, 1024, 1440, 1460, 4312};
  static void of(rules& r) {
    r.cookies.read = [](const sent_cookie& c, seq_number value, seq_number irs,
                        instant now) -> std::optional<cookie_options> {
      const std::uint32_t was = c.value - c.irs;
      const std::uint32_t is = value - irs;
      const bool same = ((was ^ is) & ~(7U << 24)) == 0;
      if (!same || (now / (64 * second) - c.at / (64 * second)) % 32 >= std::int64_t{Ages}) return std::nullopt;
      return cookie_options{.mss = table[is >> 24 & 7U]};
    };
  }
};
/// The peer's ISN is not in it. The entry below the peer's MSS, unless that is as large as ours.
template <std::uint16_t MaxMss>
struct codec_promise<onload_cookie<MaxMss>> {
  static void of(rules& r) {
    r.cookies.read = [](const sent_cookie& c, seq_number value, seq_number,
                        instant now) -> std::optional<cookie_options> {
      if (value != c.value || (now / (8 * second) - c.at / (8 * second)) % 32 > 1) return std::nullopt;
      const std::vector<std::uint16_t> table{64, 512, 536, 1024, 1220, 1440, 1460};
      std::uint16_t mss = 64;
      for (const std::uint16_t m : table) {
        if (m < c.kept.mss) mss = m;
      }
      return cookie_options{.mss = c.kept.mss >= MaxMss ? MaxMss : mss};
    };
    stamped_in_nine_bits(r.cookies, false);
  }
};
/// FreeBSD 13, syncookie_generate: every bit is under the MAC; scales and MSS are rounded down.
template <>
struct codec_promise<freebsd_13_cookie> {
  static constexpr std::uint16_t table[] = {216, 536, 1200, 1360, 1400, 1440, 1452, 1460};
  static void of(rules& r) {
    r.cookies.carries = {.window_scale = true, .sack = true};
    r.cookies.read = [](const sent_cookie& c, seq_number value, seq_number irs,
                        instant) -> std::optional<cookie_options> {
      if (value != c.value || irs != c.irs) return std::nullopt;
      cookie_options o{.mss = table[entry_for(table, c.kept.mss)], .sack = c.kept.sack};
      // Index 0 means none, so a scale of 0 shares index 1.
      const std::vector<std::uint8_t> scales{0, 1, 2, 4, 6, 7, 8};
      for (const std::uint8_t s : scales) {
        if (c.kept.scales() && s <= c.kept.send_scale) o.send_scale = s;
      }
      return o;
    };
  }
};

template <class Keys>
struct key_promise {
  static void of(cookie_rules&) {}
};
template <duration Period>
struct key_promise<derived_keys<Period>> {
  static void of(cookie_rules& c) {
    c.key_lives = [](instant at, instant now) { return now / Period - at / Period <= 1; };
  }
};
template <class Window>
struct window_promise;
template <duration Length, duration Step>
struct window_promise<after_cookie<Length, Step>> {
  static void of(cookie_rules& c) {
    c.window = cookie_window_kind::after_cookie;
    c.window_length = Length;
    c.window_step = Step;
  }
};
template <duration Length>
struct window_promise<after_bucket_overflow<Length>> {
  static void of(cookie_rules& c) {
    c.window = cookie_window_kind::after_bucket_overflow;
    c.window_length = Length;
  }
};
template <>
struct window_promise<while_request_full> {
  static void of(cookie_rules& c) { c.window = cookie_window_kind::while_request_full; }
};
template <>
struct window_promise<any_time> {
  static void of(cookie_rules& c) { c.window = cookie_window_kind::any_time; }
};

template <cookie_when When, class Codec, class Keys, class Window>
struct promise_of_cookies {
  static void of(rules& r) {
    r.cookies.when = When;
    codec_promise<Codec>::of(r);
    key_promise<Keys>::of(r.cookies);
    window_promise<Window>::of(r.cookies);
  }
};
template <>
struct promise<no_cookies> {
  static void of(rules&) {}
};
template <class C, class K, class W>
struct promise<under_pressure<C, K, W>> : promise_of_cookies<cookie_when::under_pressure, C, K, W> {};
template <class C, class K, class W>
struct promise<always<C, K, W>> : promise_of_cookies<cookie_when::always, C, K, W> {};
template <class C, class K, class W>
struct promise<cookies_if_tuned<C, K, W>> : promise_of_cookies<cookie_when::tuned, C, K, W> {};
template <class C, class K, class W>
struct promise<under_pressure_if_tuned<C, K, W>> : promise_of_cookies<cookie_when::tuned_on_off, C, K, W> {};
template <class C, class K, class W>
struct promise<in_every_iss<C, K, W>> : promise_of_cookies<cookie_when::in_iss, C, K, W> {};
template <class C, class K, class W>
struct promise<in_every_iss_if_tuned<C, K, W>> : promise_of_cookies<cookie_when::in_iss_if_tuned, C, K, W> {};
template <class Cookies, duration First, unsigned Doublings>
struct promise<pausing<Cookies, First, Doublings>> {
  static void of(rules& r) {
    promise<Cookies>::of(r);
    r.cookies.first_pause = First;
    r.cookies.doublings = Doublings;
  }
};

}  // namespace listenq::testing
