// SPDX-License-Identifier: BSL-1.0
// The model's cookies: when there are any, one that goes out, one that comes back (Linux, tcp_syn_flood_action and
// cookie_v4_check; FreeBSD, syncookie_generate, syncookie_lookup, syncache_pause). Part of model.hpp.
#pragma once

#include <listenq/testing/model.hpp>

namespace listenq::testing {

inline model::mode model::cookie_mode_tuned() const noexcept {
  const std::uint32_t knob = get(tunable::syncookies);
  switch (rules_.cookies.when) {
    case cookie_when::never:
      return mode::off;
    case cookie_when::under_pressure:
      return mode::under_pressure;
    case cookie_when::always:
      return mode::always;
    case cookie_when::tuned:
      return knob == 0 ? mode::off : knob == 1 ? mode::under_pressure : mode::always;
    case cookie_when::tuned_on_off:
      return knob == 0 ? mode::off : mode::under_pressure;
    case cookie_when::in_iss:
      return mode::beside;
    case cookie_when::in_iss_if_tuned:
      return knob == 0 ? mode::off : knob == 1 ? mode::beside : mode::always;
  }
  return mode::off;
}
/// While FreeBSD pauses, cookies are all there is.
inline model::mode model::cookie_mode() const noexcept {
  const mode m = cookie_mode_tuned();
  return m != mode::off && now_ < paused_until_ ? mode::always : m;
}
/// FreeBSD does not look for requests where cookies are all there is (syncache_cookiesonly).
inline bool model::looks_up_requests() const noexcept {
  const bool in_iss = rules_.cookies.when == cookie_when::in_iss || rules_.cookies.when == cookie_when::in_iss_if_tuned;
  return !in_iss || cookie_mode() != mode::always;
}
/// syncache_pause: twice as long as the last one, if that has ended less than its own length ago.
inline void model::pause() {
  if (rules_.cookies.first_pause == 0 || cookie_mode_tuned() == mode::off || now_ < paused_until_) return;
  const duration last = rules_.cookies.first_pause << backoff_;
  const bool soon = paused_until_ != -never && now_ < paused_until_ + last;
  backoff_ = soon ? std::min(backoff_ + 1, rules_.cookies.doublings) : 0;
  paused_until_ = now_ + (rules_.cookies.first_pause << backoff_);
}

inline void model::remember_cookie(const half_open& r, const choices& chosen) {
  if (chosen.iss) cookies_[r.key].push_back({*chosen.iss, r.irs, now_, kept_of(r)});
  if (now_ > last_cookie_ + rules_.cookies.window_step || last_cookie_ == -never) last_cookie_ = now_;
}

inline void model::send_cookie(const syn_step& step, prediction& p) {
  p.rule = "cookies: nothing is stored";
  const cookie_capacity& carries = rules_.cookies.carries;
  half_open r;
  r.key = four_tuple_of(step.s);
  r.irs = step.s.seq;
  negotiate(r, step.s);
  const bool some = r.timestamps || !carries.only_with_timestamps;
  r.sack = r.sack && some && carries.sack;
  r.ecn = r.ecn && some && carries.ecn;
  r.window_scaling = r.window_scaling && some && carries.window_scale;
  r.iss = step.chosen.iss.value_or(0);
  remember_cookie(r, step.chosen);
  const std::uint32_t stamp = rules_.cookies.stamp(clock(), kept_of(r));
  p.due.verdict = verdict::cookie_sent;
  happens(happening::cookie_sent);
  const segment answer = syn_ack_of(r, clock_for(r.key, stamp, step.chosen));
  if (send(answer, step.around, p) != send_result::sent) happens(happening::cookie_unsent);
}

inline void model::on_stray_ack(const ack_step& step, bool has_request, prediction& p) {
  const bool asked = cookie_mode() != mode::off;
  const bool may = asked && cookie_may_come(step.chosen);
  p.rule = "cookies: an ACK that nobody waits for";
  if (asked && !may) {
    p.due.met.add(stage::cookie_late);
    happens(happening::cookie_late);
  }
  std::optional<half_open> r;
  if (may) {
    p.due.met.add(stage::cookie_checked);
    r = read_cookie(step, p);
    happens(p.due.met.has(stage::cookie_valid) ? happening::cookie_right : happening::cookie_wrong);
  }
  if (!r) {
    if (!has_request) return on_stray(step, p);
    p.due.verdict = verdict::wrong_ack;
    return say_reset(step.s, step.around, p);
  }
  p.due.verdict = verdict::cookie_overflow;
  if (accept_full()) {
    p.due.met.add(stage::accept_full);
    happens(happening::accept_full_at_ack);
  } else if (has_request) {
    p.due.verdict = verdict::cookie_in_vain;
    return happens(happening::child_made_in_vain);
  } else if (make_child(*r, true, step.around, step.chosen, p)) {
    p.due.verdict = verdict::cookie_promoted;
    return happens(happening::child_made_by_cookie);
  } else {
    p.due.met.add(stage::child_refused);
    happens(happening::child_refused);
  }
  // FreeBSD treats it like a request that finds no room; Linux has nothing to keep or to reset.
  const bool in_iss = rules_.cookies.when == cookie_when::in_iss || rules_.cookies.when == cookie_when::in_iss_if_tuned;
  const bool resets = rules_.accept_full_at_ack == ack_rule::reset ||
                      (rules_.accept_full_at_ack == ack_rule::as_tuned && get(tunable::abort_on_overflow) != 0);
  if (in_iss && resets) say_reset(step.s, step.around, p);
}

inline bool model::cookie_may_come(const choices& chosen) const {
  if (!looks_up_requests()) return true;
  switch (rules_.cookies.window) {
    case cookie_window_kind::after_cookie:
      return last_cookie_ != -never && now_ <= last_cookie_ + rules_.cookies.window_length;
    case cookie_window_kind::after_bucket_overflow: {
      const auto at = overflowed_.find(chosen.bucket);
      return at != overflowed_.end() && now_ <= at->second + rules_.cookies.window_length;
    }
    case cookie_window_kind::while_request_full:
      if (rules_.buckets > 0) {
        return in_bucket(chosen.bucket) >= rules_.depth || in_set_of(chosen.bucket) >= rules_.most_in_set;
      }
      return request_full();
    case cookie_window_kind::any_time:
      return true;
  }
  return false;
}

/// The request that an ACK brings back, if it is one of the cookies that were sent to its four-tuple and still good.
inline std::optional<half_open> model::read_cookie(const ack_step& step, prediction& p) {
  const segment& s = step.s;
  const four_tuple key = four_tuple_of(s);
  std::optional<cookie_options> kept;
  if (const auto sent = cookies_.find(key); sent != cookies_.end()) {
    for (const sent_cookie& c : sent->second) {
      if (!kept && rules_.cookies.key_lives(c.at, now_)) kept = rules_.cookies.read(c, s.ack - 1, s.seq - 1, now_);
    }
  }
  if (!kept) return std::nullopt;
  p.due.met.add(stage::cookie_valid);
  half_open r;
  r.key = key;
  r.irs = s.seq - 1;
  r.iss = s.ack - 1;
  if (s.options.timestamps) {
    if (rules_.offer.keyed_clock && step.chosen.ts_offset) ts_offset_.try_emplace(key, *step.chosen.ts_offset);
    const std::uint32_t echo = s.options.ts_echo == 0 ? 0 : s.options.ts_echo - offset_of(key);
    if (!rules_.cookies.unstamp(echo, {.sack = rules_.offer.sack, .ecn = rules_.offer.ecn}, *kept)) return std::nullopt;
    r.timestamps = true;
    r.ts_recent = s.options.ts_value;
  }
  r.peer_mss = kept->mss;
  r.sack = kept->sack;
  r.ecn = kept->ecn;
  r.window_scaling = kept->scales();
  r.send_scale = r.window_scaling ? kept->send_scale : std::uint8_t{0};
  return r;
}

}  // namespace listenq::testing
