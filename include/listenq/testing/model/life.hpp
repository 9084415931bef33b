// SPDX-License-Identifier: BSL-1.0
// The model's application side: listen, accept, close, tunables; and what holds between the steps (kernels:
// inet_listen, inet_csk_accept, inet_csk_listen_stop). Part of model.hpp.
#pragma once

#include <listenq/testing/model.hpp>

namespace listenq::testing {

inline prediction model::listen(int backlog, instant now, const choices& chosen) {
  prediction p;
  p.rule = "clamp, sizing, waiting: listen";
  advance(now);
  const std::uint64_t n = rules_.clamp(backlog, get(tunable::somaxconn));
  const std::uint64_t limit = listening_ && rules_.sized_once ? limit_ : rules_.room(n, get(tunable::max_syn_backlog));
  const std::uint64_t slots = std::max<std::uint64_t>(limit, 1);
  const std::uint64_t places = std::max<std::uint64_t>(rules_.accept_slots(n), 1);
  const bool known = rules_.on_the_heap || rules_.most_requests != unbounded;
  if (known ? slots > rules_.most_requests || places > rules_.most_connections : chosen.no_memory) {
    p.due.said = "storage_too_small";
    return p;
  }
  if (rules_.on_the_heap && slots > cells_) {
    cells_ = slots + 8;  // a few more, for SYNs that no limit stops
    for (half_open& r : requests_) r.late_runs = 0;
  }
  if (!listening_) {
    const bool keeps =
        rules_.closing == closing_answer::outlive || (rules_.closing == closing_answer::leave_to_timer && shut_down_);
    if (!keeps) forget_all();
    last_cookie_ = paused_until_ = -never;
    backoff_ = 0;
  }
  p.due.said = !listening_ ? "started" : n_ != n || limit_ != limit ? "backlog changed" : "nothing changed";
  n_ = n;
  limit_ = limit;
  listening_ = true;
  shut_down_ = false;
  return p;
}

inline prediction model::accept(instant now, std::optional<four_tuple>& who) {
  prediction p;
  p.rule = "accept: first in, first out";
  advance(now);
  who.reset();
  if (!listening_) {
    p.due.said = "not_listening";
  } else if (waiting_.empty()) {
    p.due.said = "would_block";
  } else {
    who = waiting_.front().key;
    p.due.said = waiting_.front().aborted && rules_.reports_aborted ? "aborted" : "ok";
    waiting_.erase(waiting_.begin());
  }
  return p;
}

inline prediction model::child_gone(const four_tuple& key) {
  prediction p;
  p.rule = "aborted_child: it keeps its slot";
  p.due.said = "no";
  for (waiting_connection& w : waiting_) {
    if (w.key != key || w.aborted) continue;
    w.aborted = true;
    p.due.said = "yes";
    break;
  }
  return p;
}

inline prediction model::close(instant now, const surroundings& around) {
  prediction p;
  p.rule = "closing: what becomes of requests and of those who wait";
  p.any_order = true;
  advance(now);
  shut_down_ = false;
  std::size_t ended = 0;
  if (listening_) {
    for (const waiting_connection& w : waiting_) p.due.reset.push_back(w.key);
    if (rules_.closing == closing_answer::forget || rules_.closing == closing_answer::reset) {
      ended = requests_.size();
      for (const half_open& r : requests_) {
        if (rules_.closing == closing_answer::reset && around.answer == send_result::sent) {
          p.due.sent.push_back(reset_of(r));
        }
      }
      forget_all();
    }
  }
  listening_ = false;
  waiting_.clear();
  p.due.said = std::to_string(p.due.reset.size()) + " children, " + std::to_string(ended) + " requests";
  return p;
}

inline prediction model::shut(shutdown_how how, instant now, const surroundings& around) {
  prediction p;
  p.rule = "shutdown: reading ends it, writing does not";
  p.due.said = "not_listening";
  if (!listening_) return p;
  p.due.said = "no_effect";
  if (how == shutdown_how::write) return p;
  p = close(now, around);
  shut_down_ = true;
  return p;
}

inline prediction model::set(tunable t, std::uint32_t value, instant now) {
  prediction p;
  p.rule = "tunables: only those that a policy reads, only what the kernel's table accepts";
  advance(now);
  p.due.said = "ok";
  if (!rules_.tunable_members.has(t)) {
    p.due.said = "not_tunable";
  } else if (value > max_of(t)) {
    p.due.said = "out_of_range";
  } else {
    tunables_[static_cast<std::size_t>(t)] = value;
  }
  return p;
}

inline void model::forget_all() {
  requests_.clear();
  overflowed_.clear();
  hand_due_ = 0;
}

inline std::uint64_t model::in_bucket(std::uint32_t bucket) const noexcept {
  return static_cast<std::uint64_t>(
      std::count_if(requests_.begin(), requests_.end(), [bucket](const half_open& r) { return r.bucket == bucket; }));
}
inline std::uint64_t model::in_set_of(std::uint32_t bucket) const noexcept {
  return static_cast<std::uint64_t>(std::count_if(requests_.begin(), requests_.end(), [&](const half_open& r) {
    return r.bucket / rules_.buckets == bucket / rules_.buckets;
  }));
}

}  // namespace listenq::testing
