// SPDX-License-Identifier: BSL-1.0
// Room for a SYN whose gate is closed: another request goes. Which one is `request_full`'s or `accept_full_at_syn`'s to
// say; it goes only after all gates have been asked. Whether a SYN gets that far is on_syn.hpp's affair.
#pragma once

#include <listenq/detail/state.hpp>

namespace listenq::detail {

/// Would this gate open if there were a request less?
template <class G, class L>
constexpr bool opens_with_one_less(const state<L>& l, syn_facts f) noexcept {
  if (f.lengths.requests == 0) return false;
  --f.lengths.requests;
  f.accept_full = policies<L>::waiting::full(f.lengths, f.backlog);
  return !G::closed(f, l.tunables);
}

/// The request that makes room in this way, or `npos`. `h` is the newcomer's hash.
template <class L>
constexpr typename state<L>::index victim(state<L>& l, syn_answer how, std::uint64_t h) noexcept {
  constexpr syn_answers may = evictions_in<policies<L>>;
  if constexpr (may.has(syn_answer::evict_oldest)) {
    if (how == syn_answer::evict_oldest) return l.requests.oldest(l.limit);
  }
  if constexpr (may.any(syn_answer::evict_random, syn_answer::evict_random_or_none)) {
    const auto draw = [&l] { return high(l.draw()); };
    if (how == syn_answer::evict_random_or_none) {
      const std::uint64_t outcomes = std::uint64_t{l.requests.size()} + 1;
      if ((draw() * outcomes) >> 32 == 0) return l.npos;
      return l.requests.random(draw, l.limit);
    }
    if (how == syn_answer::evict_random) return l.requests.random(draw, l.limit);
  }
  if constexpr (may.any(syn_answer::evict_most_retried, syn_answer::drop_and_evict_most_retried)) {
    if (how == syn_answer::evict_most_retried || how == syn_answer::drop_and_evict_most_retried) {
      return l.requests.most_retried();
    }
  }
  if constexpr (may.has(syn_answer::evict_in_bucket)) {
    if (how == syn_answer::evict_in_bucket) return l.requests.order().oldest_in(low(h));
  }
  if constexpr (may.has(syn_answer::evict_from_here_on)) {
    if (how == syn_answer::evict_from_here_on) return l.requests.order().oldest_from(low(h));
  }
  return l.npos;
}

/// Sends the victim away; false if there is none.
template <class Policy, class L, class Sink>
constexpr bool evict(state<L>& l, syn_answer how, std::uint64_t h, Sink& out, outcome& o) {
  const auto i = victim(l, how, h);
  if (i == l.npos) return false;
  if constexpr (tells_evicted<Policy>) {
    const auto& r = l.requests[i];
    if (Policy::tells(r.acked) && out.send(reset_of(r)) == send_result::sent) o.stages.add(stage::evicted_reset);
  }
  if constexpr (bucketed<typename policies<L>::sizing>) {
    if (how == syn_answer::evict_in_bucket) {
      l.requests.order().evicted(low(h), l.now);
      l.pause();
    }
  }
  l.evict(i);
  o.stages.add(stage::evicted);
  return true;
}

/// What the gates so far have said about making room: how, and which of them asked first.
struct making_room {
  syn_answer how = syn_answer::admit;
  gate_owner asked = gate_owner::request_queue;
};

/// Evicts as the gates have asked; false, and the SYN is dropped, if there is nobody to evict.
template <class L, class Sink>
constexpr bool make_room(state<L>& l, const making_room& room, std::uint64_t h, Sink& out, outcome& o) {
  using p = policies<L>;
  if (room.asked == gate_owner::request_queue) {
    if (evict<typename p::request_full>(l, room.how, h, out, o)) return true;
    o.verdict = verdict::dropped_request_full;
  } else {
    if (evict<typename p::accept_full_at_syn>(l, room.how, h, out, o)) return true;
    o.verdict = verdict::dropped_accept_full;
  }
  return false;
}

}  // namespace listenq::detail
