// SPDX-License-Identifier: BSL-1.0
// The model's own segments: what a SYN-ACK, an ACK, a RST and a finished handshake say (RFC 9293 3.10.7, RFC 7323, RFC
// 2018, RFC 3168). Part of model.hpp.
#pragma once

#include <listenq/testing/model.hpp>

namespace listenq::testing {

/// Our timestamp to a peer where our clock says `due`. A keyed clock has an offset that only its listener knows: the
/// first one seen is taken, and must stay.
inline std::uint32_t model::clock_for(const four_tuple& key, std::uint32_t due, const choices& chosen) {
  if (rules_.offer.keyed_clock && chosen.clock) ts_offset_.try_emplace(key, *chosen.clock - due);
  return due + offset_of(key);
}
inline std::uint32_t model::offset_of(const four_tuple& key) const {
  if (!rules_.offer.keyed_clock) return 0;
  const auto known = ts_offset_.find(key);
  return known == ts_offset_.end() ? 0 : known->second;
}

/// What both sides can do.
inline void model::negotiate(half_open& r, const segment& syn) const {
  const tcp_options& o = syn.options;
  r.peer_mss = o.mss == 0 ? std::uint16_t{536} : std::max(o.mss, rules_.offer.least_mss);
  r.timestamps = o.timestamps;
  r.ts_recent = o.timestamps ? o.ts_value : 0;
  r.sack = o.sack_permitted && rules_.offer.sack;
  r.window_scaling = o.window_scale != tcp_options::no_window_scale;
  r.send_scale = r.window_scaling ? std::min<std::uint8_t>(o.window_scale, 14) : std::uint8_t{0};
  r.ecn = rules_.offer.ecn && syn.flags.has(flag::ece | flag::cwr);
}
/// What a cookie for it remembers.
inline cookie_options model::kept_of(const half_open& r) const {
  cookie_options o{.mss = r.peer_mss, .sack = r.sack, .ecn = r.ecn};
  if (r.window_scaling) {
    o.send_scale = r.send_scale;
    o.receive_scale = rules_.offer.window_scale;
  }
  return o;
}

inline segment model::syn_ack_of(const half_open& r, std::uint32_t ts) const {
  segment s{.source = r.key.local(), .destination = r.key.peer(), .seq = r.iss, .ack = r.irs + 1};
  s.flags = flag::syn | flag::ack;
  if (r.ecn) s.flags = s.flags | flag::ece;
  s.window = static_cast<std::uint16_t>(window_of(r));
  s.options.mss = rules_.offer.mss;
  s.options.sack_permitted = r.sack;
  if (r.window_scaling) s.options.window_scale = rules_.offer.window_scale;
  if (r.timestamps) {
    s.options.timestamps = true;
    s.options.ts_value = ts;
    s.options.ts_echo = r.ts_recent;
  }
  return s;
}
inline segment model::ack_of(const half_open& r, std::uint32_t ts) const {
  segment s{.source = r.key.local(), .destination = r.key.peer(), .seq = r.iss + 1, .ack = r.irs + 1};
  s.flags = flag::ack;
  s.window = static_cast<std::uint16_t>(window_of(r) >> (r.window_scaling ? rules_.offer.window_scale : 0));
  if (r.timestamps && (r.ts_recent != 0 || rules_.echoes_zero)) {
    s.options.timestamps = true;
    s.options.ts_value = ts;
    s.options.ts_echo = r.ts_recent;
  }
  return s;
}
inline segment model::reset_of(const half_open& r) {
  return {.source = r.key.local(),
          .destination = r.key.peer(),
          .seq = r.iss + 1,
          .ack = r.irs + 1,
          .flags = flag::rst | flag::ack};
}
inline handshake model::handshake_of(const half_open& r, bool by_cookie) const {
  handshake h;
  h.key = r.key;
  h.iss = r.iss;
  h.irs = r.irs;
  h.ts_recent = r.ts_recent;
  h.ts_offset = offset_of(r.key);
  h.window = window_of(r);
  h.mss = rules_.offer.mss;
  h.peer_mss = r.peer_mss;
  h.send_scale = r.send_scale;
  h.receive_scale = r.window_scaling ? rules_.offer.window_scale : std::uint8_t{0};
  h.window_scaling = r.window_scaling;
  h.sack = r.sack;
  h.timestamps = r.timestamps;
  h.ecn = r.ecn;
  h.cookie = by_cookie;
  return h;
}

inline send_result model::send(const segment& s, const surroundings& around, prediction& p) {
  if (around.answer == send_result::sent) {
    p.due.sent.push_back(s);
    p.due.met.add(stage::answered);
  } else {
    p.due.met.add(stage::send_failed);
  }
  return around.answer;
}
/// RFC 9293 3.10.7.1; never to a RST.
inline void model::say_reset(const segment& to, const surroundings& around, prediction& p) {
  if (to.flags.has(flag::rst)) return;
  segment s{.source = to.destination, .destination = to.source};
  if (to.flags.has(flag::ack)) {
    s.flags = flag::rst;
    s.seq = to.ack;
  } else {
    s.flags = flag::rst | flag::ack;
    s.ack = to.end();
  }
  if (send(s, around, p) != send_result::sent) return;
  p.due.met.add(stage::answered_reset);
  happens(happening::reset_sent);
}

/// The stack makes its child, and it waits; false if it would not.
inline bool model::make_child(const half_open& r, bool by_cookie, const surroundings& around, const choices& chosen,
                              prediction& p) {
  if (around.refuses_children) return false;
  if (rules_.offer.keyed_clock && chosen.ts_offset) ts_offset_.try_emplace(r.key, *chosen.ts_offset);
  p.due.made.push_back(handshake_of(r, by_cookie));
  waiting_.push_back({r.key});
  return true;
}

}  // namespace listenq::testing
