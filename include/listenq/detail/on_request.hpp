// SPDX-License-Identifier: BSL-1.0
// A segment that belongs to a request: judge it, answer it, and, if it finishes the handshake, queue the connection.
// The judgement is `validation`'s, what happens without room `accept_full_at_ack`'s; this is what they are asked about.
#pragma once

#include <listenq/detail/on_ack.hpp>
#include <listenq/detail/state.hpp>

namespace listenq::detail {

template <class Offer, half_open R>
constexpr request_facts facts_about(const R& r, const segment_of<R>& s) noexcept {
  request_facts f;
  f.flags = s.flags;
  f.at_isn = s.seq == r.irs;
  f.exact = s.seq == r.irs + 1;
  const std::uint32_t window = offered_window<Offer>(r);
  f.in_window = in_window(s.seq, s.end(), r.irs + 1, r.irs + 1 + window);
  f.starts_in_window = s.seq - (r.irs + 1) < window;
  f.at_right_edge = s.seq == r.irs + 1 + window;
  f.ack_right = s.flags.has(flag::ack) && s.ack == r.iss + 1;
  if (r.timestamps && s.options.timestamps) {
    f.old_timestamp = timestamp_older(s.options.ts_value, r.ts_recent);
    if constexpr (remembers_answers<R>) {
      const std::uint32_t echo = s.options.ts_echo;
      f.bad_echo = echo != 0 && echo - r.first_ts > r.last_ts - r.first_ts;
    }
  }
  f.no_timestamp = r.timestamps && !s.options.timestamps;
  return f;
}

/// Of two kinds of segment, nearly all that there are, the facts are known after a few comparisons: what finishes a
/// handshake (the next number, the right acknowledgment, no old timestamp) ...
template <class Validation, half_open R>
[[gnu::always_inline]] constexpr bool is_ordinary_ack(const R& r, const segment_of<R>& s) noexcept {
  if ((s.flags & (flag::ack | flag::syn | flag::rst)) != flag::ack) return false;
  if (s.seq != r.irs + 1 || s.ack != r.iss + 1) [[unlikely]]
    return false;
  if (!r.timestamps) return true;
  if (!s.options.timestamps || timestamp_older(s.options.ts_value, r.ts_recent)) [[unlikely]]
    return false;
  if constexpr (Validation::checks_echo) {
    const std::uint32_t echo = s.options.ts_echo;
    return echo - r.first_ts <= r.last_ts - r.first_ts || echo == 0;
  } else {
    return true;
  }
}
/// Those of its flags that are known are known to the compiler, too.
constexpr request_facts facts_about_ordinary_ack(flags f) noexcept {
  return {.flags = f.without(flag::syn | flag::rst) | flag::ack,
          .exact = true,
          .in_window = true,
          .starts_in_window = true,
          .ack_right = true};
}
/// ... and the SYN once more, without data.
template <half_open R>
[[gnu::always_inline]] constexpr bool is_ordinary_duplicate(const R& r, const segment_of<R>& s) noexcept {
  constexpr flags looked_at = flag::syn | flag::ack | flag::rst | flag::fin;
  if ((s.flags & looked_at) != flag::syn || s.seq != r.irs || !s.payload.empty()) return false;
  if (!r.timestamps) return true;
  return s.options.timestamps && s.options.ts_echo == 0 && !timestamp_older(s.options.ts_value, r.ts_recent);
}
constexpr request_facts facts_about_ordinary_duplicate(flags f) noexcept {
  return {.flags = f.without(flag::ack | flag::rst | flag::fin) | flag::syn, .at_isn = true};
}

/// What a later SYN changes in its request.
template <duplicate_rules Rules, half_open R>
constexpr void renegotiate(R& r, const segment_of<R>& s) noexcept {
  if (Rules.echo != echo_rule::keep && r.timestamps) {
    if (s.options.timestamps) {
      r.ts_recent = s.options.ts_value;
    } else if (Rules.echo == echo_rule::refresh_or_drop) {
      r.timestamps = false;
    }
  }
  if (Rules.may_end_ecn) r.ecn = r.ecn && s.flags.has(flag::ece | flag::cwr);
}

template <class L, class Sink>
[[gnu::always_inline]] constexpr void resend(state<L>& l, typename state<L>::index i,
                                             const typename state<L>::segment_type& s, std::uint64_t h, Sink& out,
                                             outcome& o) {
  using p = policies<L>;
  constexpr duplicate_rules rules = p::validation::duplicate;
  auto& r = l.requests[i];
  const bool syn = o.verdict == verdict::duplicate_syn;
  if (r.limited(l.now, p::validation::rate_limit)) {
    o.stages.add(stage::rate_limited);
    return;
  }
  if (syn) renegotiate<rules>(r, s);
  const send_result sent = answer(l.next_syn_ack(r, h), out, o);
  if (!syn) return;
  if (sent == send_result::failed && rules.dies_unsent) {
    o.verdict = verdict::duplicate_unsent;
    l.forget_request(i, h, departure::send_failed);
  } else if (sent == send_result::sent && rules.restarts != restart::nothing) {
    note_retransmit(r);
    if (rules.restarts == restart::schedule) {
      l.requests.start_over(i, after(l.now, p::schedule::timeout(0)));
    } else {
      l.requests.restart(i, after(l.now, p::schedule::timeout(r.timeouts)));
    }
  }
}

template <class L, class Sink>
constexpr void ack_back(state<L>& l, typename state<L>::stored_type& r, const typename state<L>::segment_type& s,
                        std::uint64_t h, Sink& out, outcome& o) {
  using p = policies<L>;
  // Data or FIN without SYN do not make a loop of ACKs and are always answered (Linux, tcp_oow_rate_limited); not so a
  // RST.
  const bool may_loop = s.seq == s.end() || s.flags.any(flag::syn | flag::rst);
  if (may_loop && r.limited(l.now, p::validation::rate_limit)) {
    o.stages.add(stage::rate_limited);
    return;
  }
  auto a = bare_ack<typename p::offer>(r, timestamp(l.now, l.ts_offset(h)));
  if (r.ts_recent == 0 && !echoes_zero<typename p::validation>) a.options = {};
  answer(a, out, o);
}

template <class L, class Sink>
[[gnu::always_inline]] constexpr void finish(state<L>& l, typename state<L>::index i,
                                             const typename state<L>::segment_type& s, std::uint64_t h, Sink& out,
                                             outcome& o) {
  using p = policies<L>;
  auto& r = l.requests[i];
  if (p::deferral::waits(r.timeouts, l.tunables) && s.end() == r.irs + 1) [[unlikely]] {
    r.acked = true;
    o.verdict = verdict::deferred;
    return;
  }
  // It gives up the slot that it has had as a request, which counts where both queues are counted.
  if (p::waiting::full({l.accepted.size(), l.requests.size() - 1}, l.backlog)) [[unlikely]] {
    o.stages.add(stage::accept_full);
  } else if (l.queue_child(r, h, false, s, out)) [[likely]] {
    l.forget_request(i, h, departure::promoted);
    o = {.verdict = verdict::promoted};
    return;
  } else {
    o.stages.add(stage::child_refused);
  }
  switch (p::accept_full_at_ack::on_overflow(l.overflow(false), l.tunables)) {
    case ack_answer::keep:
      r.acked = true;
      o.verdict = verdict::overflow_kept;
      break;
    case ack_answer::reset:
      o.verdict = verdict::overflow_reset;
      l.forget_request(i, h, departure::overflow);
      o.stages.add(answer_reset(s, out));
      break;
    case ack_answer::forget:
      o.verdict = verdict::overflow_forgotten;
      l.forget_request(i, h, departure::overflow);
      break;
  }
}

/// Why a segment at a request is ignored.
constexpr verdict ignored_as(const request_facts& f) noexcept {
  if (f.flags.has(flag::rst)) return verdict::out_of_window;
  return f.old_timestamp || f.no_timestamp ? verdict::wrong_timestamp : verdict::no_ack;
}

/// What was wrong with the timestamps of a segment that ended so.
template <class Validation>
constexpr void note_timestamps(const request_facts& f, outcome& o) noexcept {
  if (f.old_timestamp) {
    o.stages.add(stage::old_timestamp);
  } else if (f.bad_echo && Validation::checks_echo) {
    o.stages.add(stage::bad_echo);
  } else if (o.verdict == verdict::wrong_timestamp) {
    o.stages.add(stage::no_timestamp);
  }
}

/// All the others.
template <class L, class Sink>
[[gnu::noinline]] constexpr outcome on_other(state<L>& l, const typename state<L>::segment_type& s, std::uint64_t h,
                                             typename state<L>::index i, Sink& out) {
  using p = policies<L>;
  using validation = typename p::validation;
  auto& r = l.requests[i];
  outcome o;
  const request_facts f = facts_about<typename p::offer>(r, s);
  const request_answer a = validation::judge(f);
  if (validation::late_timestamps && r.timestamps && s.options.timestamps && !seq_after(s.seq, r.irs + 1) &&
      (a == request_answer::finish || a == request_answer::ignore)) {
    r.ts_recent = s.options.ts_value;
  }
  switch (a) {
    case request_answer::resend:
      o.verdict = s.flags.has(flag::syn) ? verdict::duplicate_syn : verdict::wrong_ack_resent;
      resend(l, i, s, h, out, o);
      break;
    case request_answer::reset_and_keep:
      if (tries_cookie<validation> && validation::at_listener(s.flags) == listener_answer::cookie) {
        on_stray_ack(l, s, h, out, o, true);
        break;
      }
      o.verdict = verdict::wrong_ack;
      o.stages.add(answer_reset(s, out));
      break;
    case request_answer::ack:
      o.verdict = verdict::out_of_window;
      note_timestamps<validation>(f, o);
      if (!s.flags.has(flag::rst)) ack_back(l, r, s, h, out, o);
      break;
    case request_answer::challenge:
      o.verdict = verdict::challenged;
      ack_back(l, r, s, h, out, o);
      break;
    case request_answer::forget:
      o.verdict = verdict::request_reset;
      l.forget_request(i, h, departure::reset);
      break;
    case request_answer::forget_and_reset:
      o.verdict = s.flags.has(flag::syn) ? verdict::request_reset_by_syn : verdict::wrong_ack_forgotten;
      l.forget_request(i, h, departure::reset);
      o.stages.add(answer_reset(s, out));
      break;
    case request_answer::ignore:
      o.verdict = ignored_as(f);
      if (o.verdict == verdict::wrong_timestamp) note_timestamps<validation>(f, o);
      break;
    case request_answer::finish:
      finish(l, i, s, h, out, o);
      break;
  }
  return l.noted_apart(s, o.verdict, o.stages);
}

template <class L, class Sink>
[[gnu::always_inline]] constexpr outcome on_request(state<L>& l, const typename state<L>::segment_type& s,
                                                    std::uint64_t h, typename state<L>::index i, Sink& out) {
  using p = policies<L>;
  using validation = typename p::validation;
  auto& r = l.requests[i];
  if (is_ordinary_ack<validation>(r, s) &&
      validation::judge(facts_about_ordinary_ack(s.flags)) == request_answer::finish) [[likely]] {
    if (validation::late_timestamps && r.timestamps) r.ts_recent = s.options.ts_value;
    outcome o;
    finish(l, i, s, h, out, o);
    if (o.verdict == verdict::promoted) [[likely]]
      return l.noted(s, {.verdict = verdict::promoted});
    return l.noted(s, o);
  }
  if (is_ordinary_duplicate(r, s) &&
      validation::judge(facts_about_ordinary_duplicate(s.flags)) == request_answer::resend) [[likely]] {
    outcome met{verdict::duplicate_syn};
    resend(l, i, s, h, out, met);
    return l.noted(s, copied(met));
  }
  return on_other(l, s, h, i, out);
}

}  // namespace listenq::detail
