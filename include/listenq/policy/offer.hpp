// SPDX-License-Identifier: BSL-1.0
// offer: what our SYN-ACK says about ourselves: MSS, window, window scale, SACK, timestamps and their clock, ECN.
// An option is offered only to a peer that sent it in its SYN (RFC 7323 2.2 and 3.2, RFC 2018 2, RFC 3168 6.1.1).
//
// When to use which: `linux_6_18_offer` as recorded on Ethernet; `linux_loopback_offer` as 2.6.32 and 3.12 answered on
// `lo` in the articles; write your own for another path MTU or buffer size: an offer is five numbers and two bools.
#pragma once

#include <concepts>
#include <cstdint>

namespace listenq {

/// `mss`, `window` and `window_with_timestamps` (bytes, at most 65535), `window_scale` (0..14), `sack`, `ecn`,
/// `keyed_clock` (each peer sees a timestamp clock of its own, shifted by the keyed hash). It may have `least_mss`: a
/// peer that offers a smaller one is taken to have offered this, so that nobody makes us send crumbs (48 without it, as
/// Linux's tcp_min_snd_mss; CVE-2019-11479). It may have `timestamps`: false for a stack that has none, and then those
/// of the peer are not answered (lwIP without LWIP_TCP_TIMESTAMPS).
template <class P>
concept offer_policy = requires {
  { P::mss } -> std::convertible_to<std::uint16_t>;
  { P::window } -> std::convertible_to<std::uint16_t>;
  { P::window_with_timestamps } -> std::convertible_to<std::uint16_t>;
  { P::window_scale } -> std::convertible_to<std::uint8_t>;
  { P::sack } -> std::convertible_to<bool>;
  { P::ecn } -> std::convertible_to<bool>;
  { P::keyed_clock } -> std::convertible_to<bool>;
};

/// Linux 6.18 with an Ethernet MTU (recorded).
struct linux_6_18_offer {
  static constexpr const char* name = "linux_6_18_offer";
  static constexpr std::uint16_t mss = 1460;
  static constexpr std::uint16_t window = 64240;
  static constexpr std::uint16_t window_with_timestamps = 65160;
  static constexpr std::uint8_t window_scale = 10;
  static constexpr bool sack = true;
  static constexpr bool ecn = true;
  static constexpr bool keyed_clock = true;
};

/// Linux 2.6.32 and 3.12 on the loopback interface (the articles' traces).
struct linux_loopback_offer {
  static constexpr const char* name = "linux_loopback_offer";
  static constexpr std::uint16_t mss = 16396;
  static constexpr std::uint16_t window = 32768;
  static constexpr std::uint16_t window_with_timestamps = 32768;
  static constexpr std::uint8_t window_scale = 6;
  static constexpr bool sack = true;
  static constexpr bool ecn = true;
  static constexpr bool keyed_clock = false;
};

using default_offer = linux_6_18_offer;

namespace detail {
template <class Offer>
inline constexpr std::uint16_t least_mss_of = 48;
template <class Offer>
requires(Offer::least_mss > 0) inline constexpr std::uint16_t least_mss_of<Offer> = Offer::least_mss;

template <class Offer>
inline constexpr bool offers_timestamps = true;
template <class Offer>
requires(!Offer::timestamps) inline constexpr bool offers_timestamps<Offer> = false;
}  // namespace detail

namespace slot {
struct offer {
  static constexpr const char* name = "offer";
};
}  // namespace slot
/// Keyword: what our SYN-ACK says about ourselves.
template <offer_policy P = default_offer>
struct offer {
  using slot = listenq::slot::offer;
  using policy = P;
};

}  // namespace listenq
