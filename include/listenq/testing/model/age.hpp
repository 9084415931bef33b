// SPDX-License-Identifier: BSL-1.0
// The model's time: which request is due, whether it is asked again or forgotten, and the hand that sweeps (Linux,
// reqsk_timer_handler and inet_csk_reqsk_queue_prune with syn_ack_recalc). Part of model.hpp.
#pragma once

#include <listenq/testing/model.hpp>

namespace listenq::testing {

/// The number of timeouts after which a request dies now: the retries, and one less for each time that the young, of
/// whom there should be half, must be doubled to be so many; never below two.
inline std::uint64_t model::threshold() const {
  std::uint64_t retries = rules_.retries ? *rules_.retries : get(tunable::synack_retries);
  const std::uint64_t q = requests_.size();
  const bool crowded = (rules_.crowd == crowding::half_table && 2 * q >= limit_) ||
                       (rules_.crowd == crowding::half_backlog && 2 * q > std::max<std::uint64_t>(8, n_));
  for (std::uint64_t y = 2 * young(); crowded && retries > 2 && q >= y; y *= 2) --retries;
  return retries;
}

/// TCP_DEFER_ACCEPT's seconds as a number of timeouts (secs_to_retrans).
inline std::uint64_t model::deferred_timeouts() const {
  if (rules_.deferral != deferral_rule::defer_accept) return 0;
  const duration wanted = duration{get(tunable::defer_accept)} * second;
  std::uint64_t n = 0;
  duration wait = rules_.defer_unit;
  for (duration covered = 0; covered < wanted && n < 255; ++n) {
    covered += wait;
    wait = std::min(2 * wait, 120 * second);
  }
  return n;
}

/// Of two timers: the earlier; of two that are due at once, the one of the longer wait, which was set first; of one
/// length, the newest or the oldest.
inline bool model::goes_first(const half_open& a, const half_open& b) const {
  if (a.deadline != b.deadline) return a.deadline < b.deadline;
  const unsigned line_a = std::min(a.timeouts, rules_.lines - 1);
  const unsigned line_b = std::min(b.timeouts, rules_.lines - 1);
  if (line_a != line_b) return line_a > line_b;
  return rules_.newest_first ? a.armed > b.armed : a.armed < b.armed;
}
inline const half_open* model::first_due() const {
  const half_open* first = nullptr;
  for (const half_open& r : requests_) {
    if (r.deadline <= now_ && (first == nullptr || goes_first(r, *first))) first = &r;
  }
  return first;
}

/// One timer. False if the sink asks to come back: then nothing has happened.
inline bool model::time_out(half_open& r, std::uint64_t threshold, const surroundings& around, tick_summary& sum,
                            prediction& p) {
  const std::uint64_t d = deferred_timeouts();
  bool expired = r.timeouts >= threshold;
  bool resends = true;
  if (rules_.deferral == deferral_rule::await_data && r.acked) expired = resends = false;
  if (d > 0 && r.acked) {
    expired = expired && r.timeouts >= d;
    resends = r.timeouts + 1 >= d;
  }
  const bool orphan = !listening_ && rules_.closing != closing_answer::outlive;
  const bool paused = cookie_mode_tuned() != mode::off && now_ < paused_until_;
  bool ends = orphan || paused || expired;
  if (!orphan && !paused) {
    if (expired) {
      happens(happening::timer_expired);
    } else if (!resends) {
      happens(happening::timer_waited);
    } else if (around.answer == send_result::later) {
      sum.later = true;
      return false;
    } else {
      r.last_ts = clock_for(r.key, {});
      if (around.answer == send_result::sent) {
        p.due.sent.push_back(syn_ack_of(r, r.last_ts));
        r.retransmits = std::min(r.retransmits + 1, 255U);
        ++sum.resent;
        happens(happening::timer_resent);
      } else if (rules_.failure_ends(true, r.acked)) {
        ends = true;
        happens(happening::timer_send_failed);
      } else {
        happens(happening::timer_unsent);
      }
    }
  }
  ++sum.timers;
  if (ends) {
    ++sum.forgotten;
    forget(four_tuple{r.key});
    return true;
  }
  if (r.answered_at) {
    const std::int64_t steps = now_ / (4 * millisecond) - *r.answered_at / (4 * millisecond);
    if (steps >= rules_.rate_limit / (4 * millisecond) && steps < 65536) r.answered_at.reset();
  }
  r.timeouts = std::min(r.timeouts + 1, 255U);
  r.deadline = rules_.deadline(now_, r.timeouts);
  r.armed = ++armed_;
  return true;
}

inline prediction model::tick(instant now, const surroundings& around, const choices& chosen) {
  prediction p;
  tick_summary sum;
  advance(now);
  if (rules_.sweep > 0) {
    p.rule = "clockwork, schedule, pressure, deferral: the hand's visit";
    p.any_order = true;
    sweep(around, chosen, sum, p);
  } else {
    p.rule = "clockwork, schedule, pressure, deferral: whoever is due";
    while (const half_open* const due = first_due()) {
      // The limit is asked anew for each: those before may have made room.
      if (!time_out(*own(due->key), threshold(), around, sum, p)) break;
    }
  }
  p.due.said = std::to_string(sum.timers) + " timers, " + std::to_string(sum.resent) + " resent, " +
               std::to_string(sum.forgotten) + " forgotten" + (sum.later ? ", later" : "");
  return p;
}

/// Which buckets the hand comes to is the hash's secret: whom it visited is taken from the listener, and must have been
/// due; and nobody who is due may be passed by for longer than the hand takes to come round.
inline void model::sweep(const surroundings& around, const choices& chosen, tick_summary& sum, prediction& p) {
  const bool runs = !requests_.empty() && now_ >= hand_due_;
  if (!runs) {
    if (!chosen.visited.empty()) forbid(p, "the hand moved before its time");
    return;
  }
  const std::uint64_t limit = threshold();
  std::vector<four_tuple> passed_by;
  for (half_open& r : requests_) {
    if (r.deadline > now_) r.late_runs = 0;
    const bool visited = std::find(chosen.visited.begin(), chosen.visited.end(), r.key) != chosen.visited.end();
    if (visited && r.deadline > now_) forbid(p, "the hand aged a request that was not due");
    if (!visited && r.deadline <= now_) passed_by.push_back(r.key);
  }
  for (const four_tuple& key : chosen.visited) {
    half_open* const r = own(key);
    if (r == nullptr || r->deadline > now_) continue;
    r->late_runs = 0;
    if (!time_out(*r, limit, around, sum, p)) forbid(p, "a SYN-ACK was postponed and its timer went on");
  }
  // A sink that asks to come back stops the visit, if somebody whose SYN-ACK is due is among those who are passed by.
  sum.later = chosen.later;
  if (chosen.later && (around.answer != send_result::later || passed_by.empty())) {
    forbid(p, "the visit was put off, and the sink had not asked for it");
  }
  const std::uint64_t cells = rules_.on_the_heap ? cells_ : rules_.most_requests;
  std::uint64_t buckets = 1;
  while (buckets < unbounded / 2 && buckets * 2 <= cells) buckets *= 2;
  const auto runs_in_a_timeout = static_cast<std::uint64_t>(rules_.wait(0) / rules_.sweep);
  const std::uint64_t budget = std::max<std::uint64_t>(1, 2 * (buckets / runs_in_a_timeout));
  for (const four_tuple& key : passed_by) {
    half_open* const r = own(key);
    r->late_runs = chosen.later ? 0 : r->late_runs + 1;
    if (r->late_runs > (buckets + budget - 1) / budget) forbid(p, "the hand did not come round in time");
  }
  if (!chosen.later) hand_due_ = after(now_, rules_.sweep);
}

}  // namespace listenq::testing
