// SPDX-License-Identifier: BSL-1.0
// An ACK for which there is no request: a cookie that comes back, or a stray that gets a RST.
#pragma once

#include <listenq/detail/state.hpp>

namespace listenq::detail {

/// Is an ACK that belongs to nothing ever tried as a cookie?
template <class L>
constexpr bool takes_cookies(const state<L>& l) noexcept {
  if constexpr (policies<L>::cookies::possible) {
    return l.mode() != cookie_mode::off;
  } else {
    return false;
  }
}

/// Is this the time for a cookie? Where requests are not looked up, always.
template <class L>
constexpr bool cookie_may_come(const state<L>& l, std::uint64_t h) noexcept {
  if (!l.sees_requests()) return true;
  window_facts f{.now = l.now, .request_full = l.requests.full(l.limit, low(h))};
  if constexpr (bucketed<typename policies<L>::sizing>) f.bucket_overflow = l.bucket_overflow(h);
  return l.cookies.get().window.open(f);
}

/// Rebuilds the request from the cookie in an ACK; false if it is none.
template <class L>
constexpr bool recover(const state<L>& l, typename state<L>::request_type& r, const typename state<L>::segment_type& s,
                       std::uint64_t h, outcome& o) noexcept {
  using offer = typename policies<L>::offer;
  using codec = typename policies<L>::cookies::codec;
  const auto key = four_tuple_of(s);
  const key_words<typename policies<L>::family> w{key};
  o.stages.add(stage::cookie_checked);
  std::optional<cookie_options> kept = l.cookies.get().check(l.cookie_for(w, key, s.seq - 1, h), s.ack - 1, l.now);
  if (!kept) return false;
  o.stages.add(stage::cookie_valid);
  r.key = key;
  r.irs = s.seq - 1;
  r.iss = s.ack - 1;
  if (offers_timestamps<offer> && s.options.timestamps) {
    // An echo of 0 is not shifted: it reads as window scale 0 and nothing else (cookie_tcp_check).
    const std::uint32_t echo = s.options.ts_echo != 0 ? s.options.ts_echo - l.ts_offset(h) : 0;
    if (!codec::unstamp(echo, {.sack = offer::sack, .ecn = offer::ecn}, *kept)) return false;
    r.timestamps = true;
    r.ts_recent = s.options.ts_value;
  }
  r.peer_mss = kept->mss;
  r.sack = kept->sack;
  r.ecn = kept->ecn;
  r.window_scaling = kept->scales();
  if (r.window_scaling) r.send_scale = kept->send_scale;
  return true;
}

/// Nobody asked for it. `f`: its flags.
template <class L, class Sink>
[[gnu::always_inline]] constexpr outcome on_stray(state<L>& l, const typename state<L>::segment_type& s, flags f,
                                                  Sink& out) {
  return l.noted(s, {.verdict = verdict::stray, .stages = answer_reset(s, f, out)});
}

/// An ACK that may bring a cookie back; false if it does not.
template <class L, class Sink>
[[gnu::noinline]] constexpr bool on_cookie(state<L>& l, const typename state<L>::segment_type& s, std::uint64_t h,
                                           Sink& out, bool has_request, outcome& o) {
  using p = policies<L>;
  typename state<L>::request_type r;
  if (!recover(l, r, s, h, o)) return false;
  o.verdict = verdict::cookie_overflow;
  if (l.accept_full()) {
    o.stages.add(stage::accept_full);
  } else if (has_request) {
    o.verdict = verdict::cookie_in_vain;
  } else if (l.queue_child(r, h, true, s, out)) {
    o.verdict = verdict::cookie_promoted;
  } else {
    o.stages.add(stage::child_refused);
  }
  if constexpr (p::cookies::in_iss) {
    if (o.verdict == verdict::cookie_overflow &&
        p::accept_full_at_ack::on_overflow(l.overflow(true), l.tunables) == ack_answer::reset) {
      o.stages.add(answer_reset(s, out));
    }
  }
  return true;
}

template <class L, class Sink>
[[gnu::always_inline]] constexpr void on_stray_ack(state<L>& l, const typename state<L>::segment_type& s,
                                                   std::uint64_t h, Sink& out, outcome& o, bool has_request = false) {
  o.verdict = has_request ? verdict::wrong_ack : verdict::stray;
  if constexpr (policies<L>::cookies::possible) {
    if (takes_cookies(l)) {
      if (!cookie_may_come(l, h)) {
        o.stages.add(stage::cookie_late);
      } else {
        outcome met = copied(o);
        const bool brought = on_cookie(l, s, h, out, has_request, met);
        o = copied(met);
        if (brought) return;
      }
    }
  }
  o.stages.add(answer_reset(s, out));
}

}  // namespace listenq::detail
