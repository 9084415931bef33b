// SPDX-License-Identifier: BSL-1.0
// What the ledger, which knows no model, is told of a composition's rules.
#pragma once

#include <algorithm>
#include <listenq/policy/waiting.hpp>
#include <listenq/testing/ledger.hpp>
#include <listenq/testing/model/rules.hpp>

namespace listenq::testing {

/// What the ledger is to know of these rules.
inline expectations expectations_of(const rules& r) {
  expectations e;
  e.evicted = victims::anybody;
  if (r.request_full.what == syn_rule::evict_oldest) e.evicted = victims::oldest;
  if (r.request_full.what == syn_rule::evict_in_bucket) e.evicted = victims::oldest_in_bucket;
  if (r.request_full.what == syn_rule::evict_from_here_on) e.evicted = victims::oldest_from_here_on;
  const bool one_rule = r.accept_full_at_syn.what <= syn_rule::reset ||
                        r.accept_full_at_syn.what == r.request_full.what ||
                        r.accept_full_at_syn.what == syn_rule::drop_above_young ||
                        r.accept_full_at_syn.what == syn_rule::drop_above_share;
  if (!one_rule) e.evicted = victims::anybody;
  if (r.buckets > 0) e.buckets = r.buckets;
  const auto gate =
      std::find_if(r.gates.begin(), r.gates.end(), [](const gate_rule& g) { return g.what == gate_step::request; });
  e.bounds_requests = gate != r.gates.end();
  // Whoever passes a full bucket, or has somebody of another one make room, makes it longer.
  const syn_rule full = r.request_full.what;
  const bool keeps_depth = e.bounds_requests && gate->strict &&
                           (full == syn_rule::drop || full == syn_rule::reset || full == syn_rule::evict_in_bucket ||
                            full == syn_rule::evict_from_here_on || full == syn_rule::drop_unless_both_full);
  if (r.buckets > 0 && keeps_depth) e.most_in_bucket = r.depth;
  e.exact_deadlines = r.sweep == 0;
  e.waiting_counts_requests = r.accept_full({.accepted = 0, .requests = unbounded / 2, .backlog = 1});
  e.duplicates_start_over = r.duplicate.restarts == restart::schedule;
  e.requests_outlive_close = r.closing == closing_answer::outlive;
  e.cookies_hide_requests = r.cookies.when == cookie_when::in_iss || r.cookies.when == cookie_when::in_iss_if_tuned;
  e.counts = r.counts >= counting::linux_2_6_32 && r.counts <= counting::linux_6_18;
  e.counts_cookies = r.counts != counting::linux_2_6_32;
  return e;
}

}  // namespace listenq::testing
