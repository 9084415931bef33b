// SPDX-License-Identifier: BSL-1.0
// Ageing: what a due timer does with its request, and the hand that sweeps where there are no timers.
// Whether a request may live on is `deferral`'s answer, from the limit that `schedule` and `pressure` set.
#pragma once

#include <listenq/detail/state.hpp>

namespace listenq::detail {

/// One timer. False if the sink asked to come back later: nothing has happened then.
template <class L, class Sink>
constexpr bool time_out(state<L>& l, typename state<L>::index i, std::uint32_t threshold, Sink& out,
                        tick_summary& sum) {
  using p = policies<L>;
  auto& r = l.requests[i];
  const auto key = r.key;
  const std::uint64_t h = l.hash(key);
  timer_outcome t;
  const timeout_answer a =
      p::deferral::at_timeout({.timeouts = r.timeouts, .threshold = threshold, .acked = r.acked}, l.tunables);
  if (!l.listening && p::closing::requests != closing_answer::outlive) {
    t.verdict = timer_verdict::orphaned;
    l.forget_request(i, h, departure::closed);
  } else if (l.paused()) {
    t.verdict = timer_verdict::paused;
    l.forget_request(i, h, departure::expired);
  } else if (a.expire) {
    t.verdict = timer_verdict::expired;
    t.pruned = l.would_live(r);
    l.forget_request(i, h, departure::expired);
  } else {
    r.age_answer(l.now, p::validation::rate_limit);
    send_result sent = send_result::sent;
    if (a.resend) {
      const std::uint32_t ts = timestamp(l.now, l.ts_offset(h));
      sent = out.send(syn_ack<typename p::offer>(r, ts));
      if (sent == send_result::later) {
        sum.later = true;
        return false;
      }
      note_timestamp(r, ts);
      t.sent = sent == send_result::sent;
    } else {
      t.verdict = timer_verdict::waited;
    }
    if (sent == send_result::failed && p::send_failure::forgets({.resent = true, .acked = r.acked})) {
      t.verdict = timer_verdict::send_failed;
      l.forget_request(i, h, departure::send_failed);
    } else {
      if (t.sent) note_retransmit(r);
      l.requests.time_out(i, after(l.now, p::schedule::timeout(r.timeouts + 1U)));
    }
  }
  ++sum.timers;
  if (t.sent) ++sum.resent;
  if (t.verdict != timer_verdict::resent && t.verdict != timer_verdict::waited) ++sum.forgotten;
  l.counters.get().count(t);
  if constexpr (requires { l.observer.get().on_timer(l.now, key, t); }) l.observer.get().on_timer(l.now, key, t);
  return true;
}

/// Another timer, if there have not been `most` of them. False if this must go on later.
template <class L, class Sink>
constexpr bool next_time_out(state<L>& l, typename state<L>::index i, std::uint32_t threshold, Sink& out,
                             tick_summary& sum, std::uint32_t most) {
  if (sum.timers >= most) {
    sum.later = true;
    return false;
  }
  return time_out(l, i, threshold, out, sum);
}

/// Every request that is due, in deadline order. The limit is asked anew for each: earlier ones may have made room.
template <class L, class Sink>
constexpr void handle_due(state<L>& l, Sink& out, tick_summary& sum, std::uint32_t most) {
  for (auto i = l.requests.first_due(); i != l.npos && l.requests.deadline(i) <= l.now; i = l.requests.first_due()) {
    if (!next_time_out(l, i, l.threshold(), out, sum, most)) return;
  }
}

/// The hand's visit to its next buckets, if it is due, or what is left of one that was cut short. The limit is asked
/// once for all of it.
template <class L, class Sink>
constexpr void sweep_once(state<L>& l, Sink& out, tick_summary& sum, std::uint32_t most) {
  using p = policies<L>;
  if (l.requests.size() == 0 || l.now < l.hand.due) return;
  const std::uint32_t threshold = l.threshold();
  const std::uint32_t mask = l.requests.buckets() - 1;
  if (l.hand.left == 0) l.hand.left = p::clockwork::budget(mask + 1, p::schedule::timeout(0));
  for (; l.hand.left > 0; --l.hand.left) {
    for (auto i = l.requests.bucket_front(l.hand.bucket); i != l.npos;) {
      const auto older = l.requests.bucket_next(i);
      if (l.requests.deadline(i) <= l.now && !next_time_out(l, i, threshold, out, sum, most)) return;
      i = older;
    }
    l.hand.bucket = (l.hand.bucket + 1) & mask;
  }
  l.hand.due = after(l.now, p::clockwork::period);
}

}  // namespace listenq::detail
