// SPDX-License-Identifier: BSL-1.0
// Answers: the segments that a request gives rise to, built from what it stores and from what the listener offers.
// It decides nothing: the listener knows when which one is due.
#pragma once

#include <cstdint>
#include <listenq/policy/cookie/codec.hpp>
#include <listenq/policy/offer.hpp>
#include <listenq/queue/request.hpp>

namespace listenq::detail {

/// What answers are built from: a request, or what a layout keeps of it.
template <class R>
concept half_open = requires(R& r) {
  typename R::addressing_type;
  r.key, r.irs, r.iss, r.ts_recent, r.peer_mss, r.timeouts, r.send_scale, r.window_scaling, r.sack, r.timestamps, r.ecn;
};
template <half_open R>
using segment_of = basic_segment<typename R::addressing_type>;
/// Does it know when it was last answered, how often, and with which timestamps?
template <class R>
inline constexpr bool remembers_answers = requires(R& r) {
  r.answered_at, r.retransmits, r.first_ts, r.last_ts;
};

/// Our timestamp clock: milliseconds, shifted by an offset of the peer's own. `now` is not before 0: division without a
/// sign is cheaper.
constexpr std::uint32_t timestamp(instant now, std::uint32_t offset) noexcept {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(now) / millisecond) + offset;
}

/// Of its latest SYN-ACK, and that it was sent again, where that is remembered.
template <half_open R>
[[gnu::always_inline]] constexpr void note_timestamp(R& r, std::uint32_t ts) noexcept {
  if constexpr (remembers_answers<R>) r.last_ts = ts;
}
template <half_open R>
[[gnu::always_inline]] constexpr void note_retransmit(R& r) noexcept {
  if constexpr (remembers_answers<R>) {
    if (r.retransmits < 255) ++r.retransmits;
  }
}

/// The window that a SYN-ACK to this request offers, in bytes.
template <offer_policy Offer, half_open R>
constexpr std::uint32_t offered_window(const R& r) noexcept {
  return r.timestamps ? Offer::window_with_timestamps : Offer::window;
}

/// Makes `r`, which may have been another's, the request of a SYN, with what both sides can do. Its deadline and its
/// timestamps are still to be set. All is read before anything is written: a compiler must take the one for the other.
/// It is written in the order in which it lies: then a few stores do, which later loads need not wait for.
template <offer_policy Offer, half_open R>
[[gnu::always_inline]] constexpr void begin(R& r, seq_number iss, const segment_of<R>& syn) noexcept {
  const tcp_options& o = syn.options;
  std::uint16_t mss = o.mss;
  if (mss <= least_mss_of<Offer>) [[unlikely]]
    mss = mss == 0 ? std::uint16_t{536} : least_mss_of<Offer>;
  const bool ecn = Offer::ecn && syn.flags.has(flag::ece | flag::cwr);
  const bool timestamps = offers_timestamps<Offer> && o.timestamps;
  const bool sack = Offer::sack && o.sack_permitted;
  const bool scales = o.has_window_scale();
  std::uint8_t scale = o.window_scale;
  if (scale > 14) [[unlikely]]
    scale = scales ? std::uint8_t{14} : std::uint8_t{0};
  const std::uint32_t ts_recent = timestamps ? o.ts_value : 0;
  const seq_number irs = syn.seq;
  r.key.peer_address = syn.source.address;
  r.key.local_address = syn.destination.address;
  r.key.peer_port = syn.source.port;
  r.key.local_port = syn.destination.port;
  r.irs = irs;
  r.iss = iss;
  r.ts_recent = ts_recent;
  r.peer_mss = mss;
  if constexpr (remembers_answers<R>) r.answered_at = 0;
  r.send_scale = scale & 15U;
  r.timeouts = 0;
  if constexpr (remembers_answers<R>) r.retransmits = 0;
  r.window_scaling = scales;
  r.sack = sack;
  r.timestamps = timestamps;
  r.ecn = ecn;
  r.acked = false;
  if constexpr (remembers_answers<R>) r.answered = false;
  r.unreachable = false;
  r.live = false;
}

/// Takes back what a cookie cannot remember.
template <half_open R>
constexpr void forget_beyond(R& r, const cookie_capacity& c) noexcept {
  const bool any = r.timestamps || !c.only_with_timestamps;
  r.ecn = r.ecn && any && c.ecn;
  r.sack = r.sack && any && c.sack;
  r.window_scaling = r.window_scaling && any && c.window_scale;
  if (!r.window_scaling) r.send_scale = 0;
}

/// What a cookie is to remember of a request.
template <offer_policy Offer, half_open R>
constexpr cookie_options cookie_options_of(const R& r) noexcept {
  cookie_options o{.mss = r.peer_mss, .sack = r.sack, .ecn = r.ecn};
  if (r.window_scaling) o.send_scale = static_cast<std::uint8_t>(r.send_scale), o.receive_scale = Offer::window_scale;
  return o;
}

template <offer_policy Offer, half_open R>
[[gnu::always_inline]] constexpr segment_of<R> syn_ack(const R& r, std::uint32_t ts_value) noexcept {
  segment_of<R> s = segment_to_peer(r.key);
  s.flags = flag::syn | flag::ack | (r.ecn ? flag::ece : flag::none);
  s.seq = r.iss;
  s.ack = r.irs + 1;
  s.window = static_cast<std::uint16_t>(offered_window<Offer>(r));
  s.options.mss = Offer::mss;
  s.options.sack_permitted = r.sack;
  if (r.window_scaling) s.options.window_scale = Offer::window_scale;
  if (r.timestamps) {
    s.options.timestamps = true;
    s.options.ts_value = ts_value;
    s.options.ts_echo = r.ts_recent;
  }
  return s;
}

/// The ACK that a request gives to a segment out of its window, or to a RST that is not exact.
template <offer_policy Offer, half_open R>
constexpr segment_of<R> bare_ack(const R& r, std::uint32_t ts_value) noexcept {
  segment_of<R> s = segment_to_peer(r.key);
  s.flags = flag::ack;
  s.seq = r.iss + 1;
  s.ack = r.irs + 1;
  s.window = static_cast<std::uint16_t>(offered_window<Offer>(r) >> (r.window_scaling ? Offer::window_scale : 0));
  if (r.timestamps) {
    s.options.timestamps = true;
    s.options.ts_value = ts_value;
    s.options.ts_echo = r.ts_recent;
  }
  return s;
}

/// The RST that tells a peer that its request is gone.
template <half_open R>
constexpr segment_of<R> reset_of(const R& r) noexcept {
  segment_of<R> s = segment_to_peer(r.key);
  s.flags = flag::rst | flag::ack;
  s.seq = r.iss + 1;
  s.ack = r.irs + 1;
  return s;
}

template <offer_policy Offer, half_open R>
[[gnu::always_inline]] constexpr basic_handshake<typename R::addressing_type> finished(const R& r,
                                                                                       std::uint32_t ts_offset,
                                                                                       bool cookie) noexcept {
  return {.key = r.key,
          .iss = r.iss,
          .irs = r.irs,
          .ts_recent = r.ts_recent,
          .ts_offset = ts_offset,
          .window = offered_window<Offer>(r),
          .mss = Offer::mss,
          .peer_mss = r.peer_mss,
          .send_scale = static_cast<std::uint8_t>(r.send_scale),
          .receive_scale = r.window_scaling ? Offer::window_scale : std::uint8_t{0},
          .window_scaling = r.window_scaling,
          .sack = r.sack,
          .timestamps = r.timestamps,
          .ecn = r.ecn,
          .cookie = cookie};
}

}  // namespace listenq::detail
