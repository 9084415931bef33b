// SPDX-License-Identifier: BSL-1.0
// cookies: when a SYN is answered by a cookie, that is by an ISN that holds all that must come back. Three questions,
// each answered by itself: the layout (cookie/codec.hpp), the keys (cookie/key_ring.hpp), and how long after what an
// ACK is tried as a cookie (cookie/window.hpp); the codec names the last two as its system answers them.
//
// When to use which: `under_pressure<codec>` once the request queue is full, `always<codec>` for a listener that never
// stores a request, `in_every_iss<codec>` to store requests and survive their eviction, `..._if_tuned<codec>` to let
// the administrator choose, `no_cookies` for stacks that have none. `pausing<...>` is FreeBSD's rest after an overflow.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/policy/cookie/bernstein.hpp>
#include <listenq/policy/cookie/codec.hpp>
#include <listenq/policy/cookie/freebsd_13.hpp>
#include <listenq/policy/cookie/gvisor.hpp>
#include <listenq/policy/cookie/key_ring.hpp>
#include <listenq/policy/cookie/linux_2_6_32.hpp>
#include <listenq/policy/cookie/linux_3_12.hpp>
#include <listenq/policy/cookie/linux_6_18.hpp>
#include <listenq/policy/cookie/onload.hpp>
#include <listenq/policy/cookie/pause.hpp>
#include <listenq/policy/cookie/tldk.hpp>
#include <listenq/policy/cookie/window.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/segment.hpp>
#include <optional>

namespace listenq {

enum class cookie_mode : std::uint8_t {
  off,
  under_pressure,   ///< instead of a request, when the request queue is full
  beside_requests,  ///< in the ISS of every request; instead of one only where none can be stored
  always,           ///< instead of every request
};

/// `mode(tunables)`; where cookies are `possible`, they are made by a `cookie_issuer`.
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

/// What makes and checks cookies: a layout, its keys, its window.
template <cookie_codec Codec, class Keys, cookie_window Window>
requires key_ring < typename Keys::template ring<typename Codec::key_type>,
typename Codec::key_type > struct cookie_issuer {
  static constexpr bool possible = true;
  /// Is there a cookie in the ISS of a request? Then `always` means that requests are not even looked up, and what
  /// `accept_full_at_ack` says holds for cookies, too (FreeBSD). Linux looks first and forgets a cookie without room.
  static constexpr bool in_iss = false;
  using codec = Codec;
  using key_source = Keys;
  using window_type = Window;
  using ring_type = typename Keys::template ring<typename Codec::key_type>;

  ring_type keys{};
  [[no_unique_address]] Window window{};

  [[gnu::always_inline]] constexpr seq_number make(const cookie_facts& f, const cookie_options& o,
                                                   instant now) const noexcept {
    const auto k = keys.signer(now);
    return Codec::make(k.key, k.number, f, o, now);
  }
  constexpr std::optional<cookie_options> check(const cookie_facts& f, seq_number cookie, instant now) const noexcept {
    std::optional<cookie_options> o;
    keys.any(now, [&](const numbered_key<typename Codec::key_type>& k) {
      o = Codec::check(k.key, k.number, f, cookie, now);
      return o.has_value();
    });
    return o;
  }
  /// A new listen().
  constexpr void reset() noexcept { window.reset(); }
};

/// When the request queue is full.
template <cookie_codec Codec, class Keys = typename Codec::keys, cookie_window Window = typename Codec::window>
struct under_pressure : cookie_issuer<Codec, Keys, Window> {
  static constexpr const char* name = "under_pressure";
  static constexpr cookie_mode mode(const tunable_source auto&) noexcept { return cookie_mode::under_pressure; }
};

/// For every SYN; the request queue stays empty.
template <cookie_codec Codec, class Keys = typename Codec::keys, cookie_window Window = typename Codec::window>
struct always : cookie_issuer<Codec, Keys, Window> {
  static constexpr const char* name = "always";
  static constexpr cookie_mode mode(const tunable_source auto&) noexcept { return cookie_mode::always; }
};

/// As the administrator says: 0 never, 1 under pressure, 2 always (Linux since 3.12, tcp_syncookies).
template <cookie_codec Codec, class Keys = typename Codec::keys, cookie_window Window = typename Codec::window>
struct cookies_if_tuned : cookie_issuer<Codec, Keys, Window> {
  static constexpr const char* name = "cookies_if_tuned";
  static constexpr tunable_set tunables{tunable::syncookies};
  static constexpr cookie_mode mode(const tunable_source auto& t) noexcept {
    const std::uint32_t v = t[tunable::syncookies];
    return v == 0 ? cookie_mode::off : v == 1 ? cookie_mode::under_pressure : cookie_mode::always;
  }
};

/// 0 never, else under pressure (Linux 2.6.32, which knows no 2).
template <cookie_codec Codec, class Keys = typename Codec::keys, cookie_window Window = typename Codec::window>
struct under_pressure_if_tuned : cookie_issuer<Codec, Keys, Window> {
  static constexpr const char* name = "under_pressure_if_tuned";
  static constexpr tunable_set tunables{tunable::syncookies};
  static constexpr cookie_mode mode(const tunable_source auto& t) noexcept {
    return t[tunable::syncookies] == 0 ? cookie_mode::off : cookie_mode::under_pressure;
  }
};

/// The ISS of every request is a cookie, so that a request that was lost is finished by its ACK all the same.
template <cookie_codec Codec, class Keys = typename Codec::keys, cookie_window Window = typename Codec::window>
struct in_every_iss : cookie_issuer<Codec, Keys, Window> {
  static_assert(!Codec::carries.only_with_timestamps,
                "listenq: a cookie in every ISS cannot use the timestamps: those of a request tell the time.");
  static constexpr const char* name = "in_every_iss";
  static constexpr bool in_iss = true;
  static constexpr cookie_mode mode(const tunable_source auto&) noexcept { return cookie_mode::beside_requests; }
};

/// 0 never, 1 in every ISS, 2 instead of every request (FreeBSD 13: net.inet.tcp.syncookies, and 2 for
/// net.inet.tcp.syncookies_only).
template <cookie_codec Codec, class Keys = typename Codec::keys, cookie_window Window = typename Codec::window>
struct in_every_iss_if_tuned : in_every_iss<Codec, Keys, Window> {
  static constexpr const char* name = "in_every_iss_if_tuned";
  static constexpr tunable_set tunables{tunable::syncookies};
  static constexpr cookie_mode mode(const tunable_source auto& t) noexcept {
    const std::uint32_t v = t[tunable::syncookies];
    return v == 0 ? cookie_mode::off : v == 1 ? cookie_mode::beside_requests : cookie_mode::always;
  }
};

namespace detail {

/// The window of a policy; nothing where there are no cookies.
struct no_window {};
template <class Cookies>
struct window_of_cookies {
  using type = no_window;
};
template <class Cookies>
requires(Cookies::possible) struct window_of_cookies<Cookies> {
  using type = typename Cookies::window_type;
};
template <class Cookies>
using window_of = typename window_of_cookies<Cookies>::type;
/// Can its keys be changed for one like this?
template <class Cookies, class Key>
concept rotates = rotatable<typename Cookies::ring_type, typename Cookies::codec::key_type> &&
    std::same_as<Key, typename Cookies::codec::key_type>;

}  // namespace detail

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
