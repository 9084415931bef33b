// SPDX-License-Identifier: BSL-1.0
// Why: the rule behind a decision, in one clause, with the values that it looked at. Everything is read from the
// decision and from what `explain` says of the listener; no experiment has sentences of its own.
#pragma once

#include <string>
#include <vector>

#include "presets.hpp"

namespace lab {

/// What the clauses need to know beside the decision itself.
struct rules {
  explanation limits{};
  std::uint32_t abort_on_overflow = 0;
  std::uint32_t max_syn_backlog = 0;
};
/// Those of a preset that listens with this backlog and these tunables.
rules rules_of(const preset_entry& p, int backlog, const tunable_values_set& set);

/// "the final ACK found room (sk_ack_backlog 1 <= 1): ..." - without a full stop.
std::string why(const decision& d, const rules& r);
/// Several decisions in one sentence; what repeats is said once.
std::string why(const std::vector<decision>& all, const rules& r);
/// What the queues hold and what that means for the next SYN, as a sentence.
std::string why(const queue_state& q, const rules& r);
/// What listen() made of the backlog, as a sentence.
std::string why(const rules& r);

}  // namespace lab
