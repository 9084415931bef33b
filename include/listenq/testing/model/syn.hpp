// SPDX-License-Identifier: BSL-1.0
// The model at a SYN: the gates in their order, who makes room, a cookie or a request (Linux, tcp_conn_request;
// FreeBSD, syncache_add; NetBSD, syn_cache_add). Part of model.hpp.
#pragma once

#include <listenq/testing/model.hpp>

namespace listenq::testing {

inline void model::on_syn(const segment& s, const surroundings& around, const arrival& facts, const choices& chosen,
                          prediction& p) {
  const four_tuple key = four_tuple_of(s);
  syn_step step{s, around, facts, chosen, cookie_mode()};
  step.full = requests_.size() >= limit_;
  if (rules_.buckets > 0) {
    hold_bucket(key, chosen, p);
    step.crowded = in_bucket(chosen.bucket) >= rules_.depth;
    step.full = step.crowded || in_set_of(chosen.bucket) >= rules_.most_in_set;
  }
  for (const gate_rule& g : rules_.gates) {
    half_open* const r = looks_up_requests() ? own(key) : nullptr;
    if (g.what == gate_step::known && r != nullptr) {
      p.due.met = {};
      return at_request(*r, {s, around, chosen}, p);
    }
    if (const std::optional<verdict> v = at_gate(g, step, p)) {
      p.due.verdict = v;
      return count_refusal(*v);
    }
  }
  p.due.verdict = verdict::admitted;
  const bool instead = p.due.met.has(stage::cookie_wanted);
  bool has_room = true;
  if (step.room.how != syn_rule::admit && !evict(step.room, step, p)) {
    has_room = false;
    p.due.verdict =
        step.room.asked == gate_step::request ? verdict::dropped_request_full : verdict::dropped_accept_full;
  }
  if (has_room && !instead) store(step, p);
  // Where a cookie is in every ISS, it helps out when nobody can go and there is no memory.
  const bool helps = step.cookies == mode::beside &&
                     (p.due.verdict == verdict::dropped_request_full || p.due.verdict == verdict::dropped_no_memory);
  if (helps) p.due.met.add(stage::cookie_wanted);
  if (helps || (has_room && instead)) return send_cookie(step, p);
  count_refusal(*p.due.verdict);
}

/// Where a peer belongs is the hash's secret, but it must not change; with two sets, newcomers go to the active one.
inline void model::hold_bucket(const four_tuple& key, const choices& chosen, prediction& p) {
  if (chosen.bucket >= rules_.buckets * rules_.sets) return forbid(p, "there is no such bucket");
  const half_open* const r = find(key);
  if (r != nullptr) {
    if (r->bucket != chosen.bucket) forbid(p, "a request has changed its bucket");
  } else if (rules_.sets > 1) {
    if (chosen.bucket / rules_.buckets != active_set_) forbid(p, "a newcomer belongs to the set that is not active");
  } else if (bucket_.try_emplace(key, chosen.bucket).first->second != chosen.bucket) {
    forbid(p, "a four-tuple has changed its bucket");
  }
}

/// Nothing if the SYN passes.
inline std::optional<verdict> model::at_gate(const gate_rule& g, syn_step& step, prediction& p) {
  switch (g.what) {
    case gate_step::known:
      return std::nullopt;
    case gate_step::request:
      return at_request_gate(g, step, p);
    case gate_step::accept:
      return at_accept_gate(g, step, p);
    case gate_step::refusal:
      if (step.facts.refused) return verdict::dropped_refused;
      return std::nullopt;
    case gate_step::last_quarter: {
      const std::int64_t most = get(tunable::max_syn_backlog);
      const bool asked = get(tunable::syncookies) == 0 && step.facts.isn == 0 && !step.facts.proven;
      const std::int64_t left = most - static_cast<std::int64_t>(requests_.size());
      if (asked && !p.due.met.has(stage::cookie_wanted) && left < most / 4) return verdict::dropped_last_quarter;
      return std::nullopt;
    }
    case gate_step::budget:
      if (over_budget(four_tuple_of(step.s))) return verdict::dropped_over_budget;
      return std::nullopt;
    case gate_step::own:
      if (!g.closed(now_there())) return std::nullopt;
      if (g.resets) say_reset(step.s, step.around, p);
      return verdict::dropped_by_gate;
  }
  return std::nullopt;
}

inline std::optional<verdict> model::at_request_gate(const gate_rule& g, syn_step& step, prediction& p) {
  const bool closed =
      (step.full || step.cookies == mode::always) && (g.strict || step.facts.isn == 0 || !looks_up_requests());
  if (!closed) return std::nullopt;
  p.rule = "request_full, cookies: the request queue is full";
  if (step.full) p.due.met.add(stage::request_full);
  if (step.crowded) {
    p.due.met.add(stage::bucket_full);
    overflowed_[step.chosen.bucket] = now_;
    uses_left_[step.chosen.bucket / rules_.buckets] = 0;
    pause();
  }
  if (step.cookies == mode::under_pressure || step.cookies == mode::always) {
    p.due.met.add(stage::cookie_wanted);
    return std::nullopt;
  }
  const syn_rule answer = answer_now(rules_.request_full);
  const eviction how{answer, g.what, rules_.request_full.tells, rules_.request_full.tells_if_acked};
  switch (answer) {
    case syn_rule::admit:
      return std::nullopt;
    case syn_rule::drop:
      return verdict::dropped_request_full;
    case syn_rule::reset:
      say_reset(step.s, step.around, p);
      return verdict::reset_request_full;
    case syn_rule::drop_and_evict:
      evict(how, step, p);
      return verdict::dropped_request_full;
    default:
      if (step.room.how == syn_rule::admit) step.room = how;
      return std::nullopt;
  }
}

inline std::optional<verdict> model::at_accept_gate(const gate_rule& g, syn_step& step, prediction& p) {
  const auto closed = [&](const lengths& l) { return g.closed ? g.closed(l) : rules_.accept_full(l); };
  lengths l = now_there();
  if (!closed(l)) return std::nullopt;
  p.rule = "accept_full_at_syn: the accept queue is full";
  p.due.met.add(stage::accept_full);
  const syn_rule answer = answer_now(rules_.accept_full_at_syn);
  switch (answer) {
    case syn_rule::admit:
      return std::nullopt;
    case syn_rule::reset:
      say_reset(step.s, step.around, p);
      return verdict::reset_accept_full;
    case syn_rule::drop:
    case syn_rule::drop_and_evict:
      return verdict::dropped_accept_full;
    default:
      break;
  }
  if (l.requests == 0) return verdict::dropped_accept_full;
  --l.requests;
  if (closed(l)) return verdict::dropped_accept_full;  // nobody goes in vain
  if (step.room.how == syn_rule::admit) {
    step.room = {answer, g.what, rules_.accept_full_at_syn.tells, rules_.accept_full_at_syn.tells_if_acked};
  }
  return std::nullopt;
}

/// What a rule that looks at the queues says now.
inline syn_rule model::answer_now(const syn_answer_rule& rule) {
  const std::uint64_t slots = std::min(rules_.accept_slots(n_), limit_);
  switch (rule.what) {
    case syn_rule::drop_above_young:
      return young() > rule.most_young ? syn_rule::drop : syn_rule::admit;
    case syn_rule::drop_above_share:
      return young() > slots * rule.most_young / rule.of ? syn_rule::drop : syn_rule::admit;
    case syn_rule::drop_unless_both_full:
      return accept_full() ? syn_rule::drop_and_evict : syn_rule::drop;
    case syn_rule::oldest_or_any:
      return by_load();
    default:
      return rule.what;
  }
}
/// XNU, tcp_dropdropablreq: the oldest goes, unless SYNs were refused faster than there are requests.
inline syn_rule model::by_load() {
  const std::int64_t second_now = now_ / second;
  if (second_now != this_second_) {
    refused_before_ = refused_ / static_cast<std::uint64_t>(second_now - this_second_);
    refused_ = 0;
    this_second_ = second_now;
  }
  ++refused_;
  const std::uint64_t q = requests_.size();
  return refused_ > q || refused_before_ > q ? syn_rule::evict_any_or_none : syn_rule::evict_oldest;
}

inline bool model::over_budget(const four_tuple& key) const {
  for (const budget_rule& b : rules_.budgets) {
    const auto prefix = [&b](ipv4::address a) {
      return b.v4_bits == 0 ? 0 : std::uint64_t{a.value} >> (32 - b.v4_bits);
    };
    const auto used = std::count_if(requests_.begin(), requests_.end(), [&](const half_open& r) {
      return prefix(r.key.peer_address) == prefix(key.peer_address);
    });
    if (static_cast<std::uint64_t>(used) >= std::max<std::uint64_t>(1, b.share(limit_))) return true;
  }
  return false;
}

/// Who goes; nobody if there is nobody.
inline const half_open* model::victim(syn_rule how, const choices& chosen, prediction& p) const {
  if (requests_.empty()) return nullptr;
  const auto oldest_in = [this](std::uint32_t bucket) -> const half_open* {
    for (const half_open& r : requests_) {
      if (r.bucket == bucket) return &r;
    }
    return nullptr;
  };
  const half_open* most = requests_.data();
  switch (how) {
    case syn_rule::evict_oldest:
      return requests_.data();
    case syn_rule::evict_any:
      if (!chosen.victim) forbid(p, "nobody was evicted");
      return chosen.victim ? find(*chosen.victim) : nullptr;
    case syn_rule::evict_any_or_none:
      return chosen.victim ? find(*chosen.victim) : nullptr;
    case syn_rule::evict_most_retried:
    case syn_rule::drop_and_evict:
      for (const half_open& r : requests_) {
        const unsigned line = std::min(r.timeouts, rules_.lines - 1);
        const unsigned best = std::min(most->timeouts, rules_.lines - 1);
        if (line > best || (line == best && goes_first(r, *most))) most = &r;
      }
      return most;
    case syn_rule::evict_in_bucket:
      return oldest_in(chosen.bucket);
    case syn_rule::evict_from_here_on:
      for (std::uint32_t i = 0; i < rules_.buckets; ++i) {
        const std::uint32_t first = chosen.bucket / rules_.buckets * rules_.buckets;
        const half_open* const r = oldest_in(first + (chosen.bucket - first + i) % rules_.buckets);
        if (r != nullptr) return r;
      }
      return nullptr;
    default:
      return nullptr;
  }
}

inline bool model::evict(const eviction& how, const syn_step& step, prediction& p) {
  p.rule = "request_full, accept_full_at_syn: who is evicted";
  const half_open* const r = victim(how.how, step.chosen, p);
  if (r == nullptr) return false;
  if ((how.tells || (how.tells_if_acked && r->acked)) && step.around.answer == send_result::sent) {
    p.due.sent.push_back(reset_of(*r));
    p.due.met.add(stage::evicted_reset);
  }
  if (how.how == syn_rule::evict_in_bucket) {
    overflowed_[step.chosen.bucket] = now_;
    pause();
  }
  p.due.met.add(stage::evicted);
  happens(p.due.met.has(stage::bucket_full) ? happening::evicted_from_bucket : happening::evicted);
  forget(four_tuple{r->key});
  return true;
}

inline void model::store(const syn_step& step, prediction& p) {
  if (p.due.met == stages{}) p.rule = "sizing, isn, offer, schedule: a request is stored";
  half_open r;
  r.key = four_tuple_of(step.s);
  r.irs = step.s.seq;
  negotiate(r, step.s);
  const bool signs = step.cookies == mode::beside && step.facts.isn == 0;
  if (step.facts.isn != 0) {
    r.iss = step.facts.isn;
  } else if (rules_.fixed_isn && !signs) {
    r.iss = *rules_.fixed_isn;
  } else {
    r.iss = step.chosen.iss.value_or(0);
  }
  const bool was_empty = requests_.empty();
  if (signs) {
    p.due.met.add(stage::cookie_in_iss);
    happens(happening::cookie_in_iss);
    remember_cookie(r, step.chosen);
  }
  const bool unknown_room = !rules_.on_the_heap;
  const bool no_memory =
      unknown_room ? step.chosen.no_memory && requests_.size() >= limit_ : requests_.size() >= cells_;
  if (no_memory) {
    p.due.verdict = verdict::dropped_no_memory;
    return;
  }
  if (!signs && step.facts.isn == 0 && !rules_.fixed_isn && step.chosen.iss) {
    const seq_number offset = r.iss - static_cast<seq_number>(now_ / 4);
    if (isn_offset_.try_emplace(r.key, offset).first->second != offset) {
      forbid(p, "the ISN is not the clock plus a hash of the four-tuple (RFC 6528)");
    }
  }
  r.deadline = rules_.deadline(now_, 0);
  r.armed = ++armed_;
  r.first_ts = r.last_ts = clock_for(r.key, step.chosen);
  if (rules_.buckets > 0) {
    r.bucket = step.chosen.stored_in.value_or(active_set_ * rules_.buckets);
    enter_set(r.bucket, p);
  }
  requests_.push_back(r);
  const send_result sent = send(syn_ack_of(r, r.first_ts), step.around, p);
  if (sent == send_result::failed && rules_.failure_ends(false, false)) {
    forget(r.key);
    p.due.verdict = verdict::dropped_send_failed;
    return;
  }
  if (was_empty) hand_due_ = r.deadline;
  happens(happening::admitted);
}

/// OpenBSD, syn_cache_insert: a set that starts empty gets a new secret; when it is used up, the other one takes over
/// as soon as it is empty.
inline void model::enter_set(std::uint32_t bucket, prediction& p) {
  if (rules_.sets < 2) return;
  const std::uint32_t set = bucket / rules_.buckets;
  if (set != active_set_) return forbid(p, "a newcomer was stored in the set that is not active");
  const std::uint64_t there = in_set_of(bucket);
  std::uint32_t& left = uses_left_[set];
  if (there == 0 && left == 0) left = rules_.uses;
  if (left > 0) --left;
  if (left == 0 && there == requests_.size()) active_set_ = 1 - set;
}

/// A SYN that ends so is counted once, whatever it met before.
inline void model::count_refusal(verdict v) {
  switch (v) {
    case verdict::dropped_request_full:
      return happens(happening::request_full_drop);
    case verdict::reset_request_full:
      return happens(happening::request_full_reset);
    case verdict::dropped_accept_full:
      return happens(happening::accept_full_drop);
    case verdict::reset_accept_full:
      return happens(happening::accept_full_reset);
    case verdict::dropped_no_memory:
      return happens(happening::no_memory);
    case verdict::dropped_send_failed:
      return happens(happening::send_failed);
    case verdict::dropped_last_quarter:
    case verdict::dropped_over_budget:
    case verdict::dropped_by_gate:
    case verdict::dropped_refused:
      return happens(happening::other_refusal);
    default:
      return;
  }
}

}  // namespace listenq::testing
