// SPDX-License-Identifier: BSL-1.0
// An ACK for which there is no request: a cookie that comes back, or a stray that gets a RST.
#pragma once

#include <listenq/detail/state.hpp>

namespace listenq::detail {

/// Rebuilds the request from the cookie in an ACK; false if it is none.
template <class L>
constexpr bool recover(const state<L>& l, typename state<L>::request_type& r, const typename state<L>::segment_type& s,
                       const typename state<L>::key_type& key, std::uint64_t h, outcome& o) noexcept {
  using offer = typename policies<L>::offer;
  const key_words<typename policies<L>::family> w{key};
  const auto& codec = l.cookies.get().codec;
  o.stages.add(stage::cookie_checked);
  const auto mss = codec.check({w.word, w.count, s.seq - 1, 0}, s.ack - 1, l.now);
  if (!mss) return false;
  o.stages.add(stage::cookie_valid);
  r.key = key;
  r.irs = s.seq - 1;
  r.iss = s.ack - 1;
  r.peer_mss = *mss;
  if (s.options.timestamps) {
    // An echo of 0 is not shifted: it reads as window scale 0 and nothing else (cookie_tcp_check).
    const std::uint32_t echo = s.options.ts_echo != 0 ? s.options.ts_echo - l.ts_offset(h) : 0;
    const auto bits = codec.decode(echo);
    if (!bits || (bits->sack_permitted && !offer::sack)) return false;
    r.timestamps = true;
    r.ts_recent = s.options.ts_value;
    r.sack = bits->sack_permitted;
    r.window_scaling = bits->has_window_scale();
    r.send_scale = r.window_scaling ? bits->window_scale : std::uint8_t{0};
    r.ecn = offer::ecn && codec.ecn(echo);
  }
  return true;
}

/// Nobody asked for it.
template <class Segment, class Sink>
constexpr outcome on_stray(const Segment& s, Sink& out) {
  outcome o{verdict::stray};
  answer_reset(s, out, o);
  return o;
}

template <class L, class Sink>
constexpr outcome on_stray_ack(state<L>& l, const typename state<L>::segment_type& s,
                               const typename state<L>::key_type& key, std::uint64_t h, Sink& out,
                               bool has_request = false) {
  using p = policies<L>;
  outcome o{has_request ? verdict::wrong_ack : verdict::stray};
  if constexpr (p::cookies::possible) {
    typename state<L>::request_type r;
    const bool asked = p::cookies::mode(l.tunables) != cookie_mode::off;
    const bool lately = l.now < after(l.last_cookie, l.cookies.get().codec.overflow_window);
    if (asked && !lately) o.stages.add(stage::cookie_late);
    if (asked && lately && recover(l, r, s, key, h, o)) {
      if (l.accept_full()) {
        o.stages.add(stage::accept_full);
        o.verdict = verdict::cookie_overflow;
      } else if (has_request) {
        o.verdict = verdict::cookie_in_vain;
      } else if (l.queue_child(finished<typename p::offer>(r, l.ts_offset(h), true), s, out)) {
        o.verdict = verdict::cookie_promoted;
      } else {
        o.stages.add(stage::child_refused);
        o.verdict = verdict::cookie_overflow;
      }
      return o;
    }
  }
  answer_reset(s, out, o);
  return o;
}

}  // namespace listenq::detail
