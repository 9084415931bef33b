// SPDX-License-Identifier: BSL-1.0
// Answers: the segments that a request gives rise to, built from what it stores and from what the listener offers.
// It decides nothing: the listener knows when which one is due.
#pragma once

#include <cstdint>
#include <listenq/policy/cookie/codec.hpp>
#include <listenq/policy/offer.hpp>
#include <listenq/queue/request.hpp>

namespace listenq::detail {

/// Our timestamp clock: milliseconds, shifted by an offset of the peer's own. `now` is not before 0: division without a
/// sign is cheaper.
constexpr std::uint32_t timestamp(instant now, std::uint32_t offset) noexcept {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(now) / millisecond) + offset;
}

/// The window that a SYN-ACK to this request offers, in bytes.
template <offer_policy Offer, addressing A>
constexpr std::uint32_t offered_window(const request<A>& r) noexcept {
  return r.timestamps ? Offer::window_with_timestamps : Offer::window;
}

/// Makes `r`, which may have been another's, the request of a SYN, with what both sides can do. Its deadline and its
/// timestamps are still to be set. All is read before anything is written: a compiler must take the one for the other.
template <offer_policy Offer, addressing A>
[[gnu::always_inline]] constexpr void begin(request<A>& r, seq_number iss, const basic_segment<A>& syn) noexcept {
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
  r.answered_at = 0;
  r.send_scale = scale;
  r.timeouts = 0;
  r.retransmits = 0;
  r.window_scaling = scales;
  r.sack = sack;
  r.timestamps = timestamps;
  r.ecn = ecn;
  r.acked = false;
  r.answered = false;
  r.unreachable = false;
  r.live = false;
}

/// Takes back what a cookie cannot remember.
template <addressing A>
constexpr void forget_beyond(request<A>& r, const cookie_capacity& c) noexcept {
  const bool any = r.timestamps || !c.only_with_timestamps;
  r.ecn = r.ecn && any && c.ecn;
  r.sack = r.sack && any && c.sack;
  r.window_scaling = r.window_scaling && any && c.window_scale;
  if (!r.window_scaling) r.send_scale = 0;
}

/// What a cookie is to remember of a request.
template <offer_policy Offer, addressing A>
constexpr cookie_options cookie_options_of(const request<A>& r) noexcept {
  cookie_options o{.mss = r.peer_mss, .sack = r.sack, .ecn = r.ecn};
  if (r.window_scaling) o.send_scale = r.send_scale, o.receive_scale = Offer::window_scale;
  return o;
}

template <offer_policy Offer, addressing A>
[[gnu::always_inline]] constexpr basic_segment<A> syn_ack(const request<A>& r, std::uint32_t ts_value) noexcept {
  basic_segment<A> s = segment_to_peer(r.key);
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
template <offer_policy Offer, addressing A>
constexpr basic_segment<A> bare_ack(const request<A>& r, std::uint32_t ts_value) noexcept {
  basic_segment<A> s = segment_to_peer(r.key);
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
template <addressing A>
constexpr basic_segment<A> reset_of(const request<A>& r) noexcept {
  basic_segment<A> s = segment_to_peer(r.key);
  s.flags = flag::rst | flag::ack;
  s.seq = r.iss + 1;
  s.ack = r.irs + 1;
  return s;
}

template <offer_policy Offer, addressing A>
[[gnu::always_inline]] constexpr basic_handshake<A> finished(const request<A>& r, std::uint32_t ts_offset,
                                                             bool cookie) noexcept {
  return {.key = r.key,
          .iss = r.iss,
          .irs = r.irs,
          .ts_recent = r.ts_recent,
          .ts_offset = ts_offset,
          .window = offered_window<Offer>(r),
          .mss = Offer::mss,
          .peer_mss = r.peer_mss,
          .send_scale = r.send_scale,
          .receive_scale = r.window_scaling ? Offer::window_scale : std::uint8_t{0},
          .window_scaling = r.window_scaling,
          .sack = r.sack,
          .timestamps = r.timestamps,
          .ecn = r.ecn,
          .cookie = cookie};
}

}  // namespace listenq::detail
