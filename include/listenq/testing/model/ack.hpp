// SPDX-License-Identifier: BSL-1.0
// The model at everything but a new SYN: a segment at a request, the final ACK, a stray, an ICMP error (Linux,
// tcp_check_req, tcp_v4_err; FreeBSD, syncache_expand; NetBSD, syn_cache_get). Part of model.hpp.
#pragma once

#include <listenq/testing/model.hpp>

namespace listenq::testing {

inline prediction model::receive(const segment& s, instant now, const surroundings& around, const arrival& facts,
                                 const choices& chosen) {
  prediction p;
  p.rule = "validation: what a listener does with it";
  advance(now);
  const four_tuple key = four_tuple_of(s);
  const bool rst = s.flags.has(flag::rst);
  const bool syn = s.flags.has(flag::syn) && !s.flags.any(flag::ack | flag::rst);
  if (!listening_) {
    p.rule = "closing: a closed port answers with RST";
    p.due.verdict = verdict::not_listening;
    if (find(key) != nullptr && rules_.closing != closing_answer::outlive) {
      forget(key);
      p.due.met.add(stage::request_ended);
    }
    say_reset(s, around, p);
    return p;
  }
  half_open* const r = looks_up_requests() ? own(key) : nullptr;
  if (r != nullptr && !syn) {
    at_request(*r, {s, around, chosen}, p);
  } else if (r != nullptr) {
    on_syn(s, around, facts, chosen, p);
  } else {
    switch (rules_.at_listener(s.flags)) {
      case listener_answer::gates:
        on_syn(s, around, facts, chosen, p);
        break;
      case listener_answer::cookie:
        on_stray_ack({s, around, chosen}, false, p);
        break;
      case listener_answer::reset:
        on_stray({s, around, chosen}, p);
        break;
      case listener_answer::ignore:
        p.due.verdict = verdict::ignored;
        if (!rst) happens(happening::useless);
        break;
    }
  }
  if (p.due.met.has(stage::cookie_wanted)) happens(happening::cookie_wanted);
  if (rst && p.due.verdict != verdict::request_reset) happens(happening::reset_in_vain);
  return p;
}

inline meeting model::meet(const half_open& r, const segment& s) const {
  const auto apart = [](std::uint32_t a, std::uint32_t b) { return std::int64_t{static_cast<std::int32_t>(a - b)}; };
  meeting m;
  m.flags = s.flags;
  m.offset = apart(s.seq, r.irs + 1);
  m.length = apart(s.end(), s.seq);
  m.window = window_of(r);
  m.right_ack = s.flags.has(flag::ack) && s.ack == r.iss + 1;
  m.no_timestamp = r.timestamps && !s.options.timestamps;
  if (r.timestamps && s.options.timestamps) {
    m.paws = r.ts_recent != 0 && apart(s.options.ts_value, r.ts_recent) < 0;
    const std::uint32_t since_first = s.options.ts_echo - r.first_ts;
    m.bad_echo = s.options.ts_echo != 0 && since_first > r.last_ts - r.first_ts;
  }
  return m;
}

inline void model::at_request(half_open& r, const ack_step& step, prediction& p) {
  p.rule = "validation: a segment at its request";
  const segment& s = step.s;
  const meeting m = meet(r, s);
  const bool syn = s.flags.has(flag::syn);
  const request_answer a = rules_.judge(m);
  if (rules_.late_timestamps && r.timestamps && s.options.timestamps && m.offset <= 0 &&
      (a == request_answer::finish || a == request_answer::ignore)) {
    r.ts_recent = s.options.ts_value;
  }
  switch (a) {
    case request_answer::resend:
      p.due.verdict = syn ? verdict::duplicate_syn : verdict::wrong_ack_resent;
      return answer_again(r, step, p);
    case request_answer::reset_and_keep:
      if (rules_.tries_cookie && rules_.at_listener(s.flags) == listener_answer::cookie) {
        return on_stray_ack(step, true, p);
      }
      p.due.verdict = verdict::wrong_ack;
      return say_reset(s, step.around, p);
    case request_answer::ack:
      p.due.verdict = verdict::out_of_window;
      note_timestamps(m, p);
      if (!s.flags.has(flag::rst)) ack_back(r, step, p);
      return;
    case request_answer::challenge:
      p.due.verdict = verdict::challenged;
      return ack_back(r, step, p);
    case request_answer::forget:
      p.due.verdict = verdict::request_reset;
      happens(s.flags.has(flag::rst) ? happening::ended_by_reset : happening::ended_by_silent_syn);
      return forget(four_tuple{r.key});
    case request_answer::forget_and_reset:
      p.due.verdict = syn ? verdict::request_reset_by_syn : verdict::wrong_ack_forgotten;
      if (syn) happens(s.flags.has(flag::ack) ? happening::ended_by_syn_ack : happening::ended_by_syn);
      forget(four_tuple{r.key});
      return say_reset(s, step.around, p);
    case request_answer::ignore:
      p.due.verdict = verdict::no_ack;
      if (s.flags.has(flag::rst)) {
        p.due.verdict = verdict::out_of_window;
      } else if (m.paws || m.no_timestamp) {
        p.due.verdict = verdict::wrong_timestamp;
        note_timestamps(m, p);
      } else {
        happens(happening::useless);
      }
      return;
    case request_answer::finish:
      return finish(r, step, p);
  }
}

/// The ACK that finishes the handshake: deferred, a connection, or no room for one.
inline void model::finish(half_open& r, const ack_step& step, prediction& p) {
  const bool bare = step.s.end() == r.irs + 1;
  const bool waits = rules_.deferral == deferral_rule::await_data || r.timeouts < deferred_timeouts();
  if (bare && waits) {
    p.rule = "deferral: a bare ACK is remembered";
    r.acked = true;
    p.due.verdict = verdict::deferred;
    return happens(happening::bare_ack_deferred);
  }
  p.rule = "waiting, accept_full_at_ack: the final ACK";
  lengths l = now_there();
  --l.requests;  // who has a request gives its slot up
  const bool full = rules_.accept_full(l);
  if (!full && make_child(r, false, step.around, step.chosen, p)) {
    happens(happening::child_made);
    p.due.verdict = verdict::promoted;
    return forget(four_tuple{r.key});
  }
  p.due.met.add(full ? stage::accept_full : stage::child_refused);
  happens(full ? happening::accept_full_at_ack : happening::child_refused);
  ack_rule answer = rules_.accept_full_at_ack;
  if (answer == ack_rule::as_tuned) answer = get(tunable::abort_on_overflow) != 0 ? ack_rule::reset : ack_rule::keep;
  if (answer == ack_rule::keep) {
    r.acked = true;
    p.due.verdict = verdict::overflow_kept;
    return;
  }
  forget(four_tuple{r.key});
  p.due.verdict = verdict::overflow_forgotten;
  if (answer == ack_rule::forget) return;
  p.due.verdict = verdict::overflow_reset;
  happens(happening::request_reset_for_room);
  say_reset(step.s, step.around, p);
}

/// The SYN-ACK again, for a SYN or, in NetBSD, for a wrong ACK.
inline void model::answer_again(half_open& r, const ack_step& step, prediction& p) {
  p.rule = "validation: the SYN-ACK again";
  const bool syn = p.due.verdict == verdict::duplicate_syn;
  const auto counted_as = [&](happening h) {
    if (syn) happens(h);
  };
  if (held_back(r, step.chosen)) {
    p.due.met.add(stage::rate_limited);
    happens(happening::answer_held_back);
    return counted_as(happening::duplicate);
  }
  if (syn) {
    const echo_rule echo = rules_.duplicate.echo;
    if (echo != echo_rule::keep && r.timestamps && step.s.options.timestamps) r.ts_recent = step.s.options.ts_value;
    if (echo == echo_rule::refresh_or_drop && !step.s.options.timestamps) r.timestamps = false;
    if (rules_.duplicate.may_end_ecn && !step.s.flags.has(flag::ece | flag::cwr)) r.ecn = false;
  }
  r.last_ts = clock_for(r.key, step.chosen);
  const send_result sent = send(syn_ack_of(r, r.last_ts), step.around, p);
  if (!syn) return;
  if (sent == send_result::failed && rules_.duplicate.dies_unsent) {
    p.due.verdict = verdict::duplicate_unsent;
    happens(happening::duplicate_unsent);
    return forget(four_tuple{r.key});
  }
  happens(happening::duplicate);
  if (sent != send_result::sent) return;
  happens(happening::duplicate_answered);
  if (rules_.duplicate.restarts == restart::nothing) return;
  r.retransmits = std::min(r.retransmits + 1, 255U);
  if (rules_.duplicate.restarts == restart::schedule) r.timeouts = 0;
  r.deadline = rules_.deadline(now_, r.timeouts);
  r.armed = ++armed_;
}

/// A bare ACK. Data or FIN without SYN make no loop and are always answered (tcp_oow_rate_limited).
inline void model::ack_back(half_open& r, const ack_step& step, prediction& p) {
  const bool challenge = p.due.verdict == verdict::challenged;
  const bool may_loop = step.s.end() == step.s.seq || step.s.flags.any(flag::syn | flag::rst);
  if (may_loop && held_back(r, step.chosen)) {
    p.due.met.add(stage::rate_limited);
    return happens(challenge ? happening::challenge_held_back : happening::answer_held_back);
  }
  const send_result sent = send(ack_of(r, clock_for(r.key, step.chosen)), step.around, p);
  if (challenge && sent == send_result::sent) happens(happening::challenge_sent);
}

/// Was there an answer to this request in the last 500 ms, by a clock of 4 ms? If not, this one is. The mark has 16
/// bits of that clock: after 262 s without a timeout it may read either way.
inline bool model::held_back(half_open& r, const choices& chosen) const {
  if (rules_.rate_limit == 0) return false;
  constexpr duration step = 4 * millisecond;
  if (r.answered_at) {
    const std::int64_t steps = now_ / step - *r.answered_at / step;
    if (steps < rules_.rate_limit / step || (steps >= 65536 && chosen.limited)) return true;
  }
  r.answered_at = now_;
  return false;
}

inline void model::note_timestamps(const meeting& m, prediction& p) {
  if (m.paws) {
    p.due.met.add(stage::old_timestamp);
    happens(happening::old_timestamp);
  } else if (m.bad_echo && rules_.checks_echo) {
    p.due.met.add(stage::bad_echo);
    happens(happening::bad_echo);
  } else if (p.due.verdict == verdict::wrong_timestamp) {
    p.due.met.add(stage::no_timestamp);
  }
}

inline void model::on_stray(const ack_step& step, prediction& p) {
  p.due.verdict = verdict::stray;
  happens(step.s.flags.has(flag::syn | flag::ack) ? happening::stray_syn_ack : happening::stray);
  say_reset(step.s, step.around, p);
}

inline prediction model::unreachable(const four_tuple& key, seq_number seq, instant now, icmp_error error) {
  prediction p;
  p.rule = "icmp: only about our SYN-ACK";
  advance(now);
  half_open* const r = own(key);
  icmp_verdict v = icmp_verdict::no_request;
  if (r != nullptr) v = icmp_verdict::wrong_number;
  if (r != nullptr && r->iss == seq) {
    switch (rules_.icmp({error, rules_.ipv6, r->unreachable, static_cast<std::uint8_t>(r->timeouts)})) {
      case icmp_answer::end:
        v = icmp_verdict::ended;
        forget(key);
        happens(happening::icmp_ended);
        break;
      case icmp_answer::note:
        v = icmp_verdict::noted;
        r->unreachable = true;
        break;
      case icmp_answer::ignore:
        v = icmp_verdict::ignored;
        break;
    }
  } else if (r != nullptr) {
    happens(happening::icmp_wrong_number);
  }
  p.due.said = name_of(v);
  return p;
}

}  // namespace listenq::testing
