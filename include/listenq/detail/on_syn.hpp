// SPDX-License-Identifier: BSL-1.0
// A SYN: the gates in their order, then a cookie or a request. The gates are `admission`'s, what a closed one does is
// asked of `cookies`, `request_full`, `accept_full_at_syn` and `budget`.
#pragma once

#include <listenq/detail/on_request.hpp>
#include <listenq/detail/state.hpp>

namespace listenq::detail {

/// The SYN ends here. Always true, so that a gate can return it.
template <class Segment, class Sink>
constexpr bool refuse(verdict v, const Segment& s, Sink& out, outcome& o) {
  o.verdict = v;
  if (v == verdict::reset_request_full || v == verdict::reset_accept_full) answer_reset(s, out, o);
  return true;
}

template <class L>
constexpr bool evict_oldest_request(state<L>& l, outcome& o) noexcept {
  if constexpr (evicts<typename policies<L>::request_full>) {
    const auto i = l.requests.oldest();
    if (i == l.npos) return false;
    l.forget_request(i, l.hash(l.requests[i].key), departure::evicted);
    o.stages.add(stage::evicted);
    return true;
  } else {
    return false;
  }
}

/// What a closed gate does; true if the SYN ends here. `evict`: if it passes the later gates, too, the oldest goes.
template <class G, class L, class Sink>
constexpr bool at_closed_gate(state<L>& l, const typename state<L>::segment_type& s, const syn_facts& f,
                              cookie_mode mode, bool& evict, Sink& out, outcome& o) {
  using p = policies<L>;
  if constexpr (G::owner == gate_owner::request_queue) {
    if (f.request_full) o.stages.add(stage::request_full);
    if (mode != cookie_mode::off) {
      o.stages.add(stage::cookie_wanted);
      return false;
    }
    switch (p::request_full::on_request_full(l.overflow(false))) {
      case syn_answer::admit:
        return false;
      case syn_answer::drop:
        return refuse(verdict::dropped_request_full, s, out, o);
      case syn_answer::reset:
        return refuse(verdict::reset_request_full, s, out, o);
      case syn_answer::evict_oldest:
        evict = true;
        return false;
    }
    return false;
  } else if constexpr (G::owner == gate_owner::accept_queue) {
    o.stages.add(stage::accept_full);
    switch (p::accept_full_at_syn::on_accept_full(l.overflow(o.stages.has(stage::cookie_wanted)))) {
      case syn_answer::drop:
        return refuse(verdict::dropped_accept_full, s, out, o);
      case syn_answer::reset:
        return refuse(verdict::reset_accept_full, s, out, o);
      default:
        return false;
    }
  } else if constexpr (G::owner == gate_owner::refusal) {
    return refuse(verdict::dropped_refused, s, out, o);
  } else if constexpr (G::owner == gate_owner::last_quarter) {
    // Not asked of a SYN that a cookie answers: it takes no room.
    return !o.stages.has(stage::cookie_wanted) && refuse(verdict::dropped_last_quarter, s, out, o);
  } else {
    refuse(verdict::dropped_by_gate, s, out, o);
    if (G::answer == syn_answer::reset) answer_reset(s, out, o);
    return true;
  }
}

template <class L, class Sink>
constexpr void store_request(state<L>& l, const typename state<L>::segment_type& s,
                             const typename state<L>::key_type& key, std::uint64_t h, Sink& out, const arrival& facts,
                             outcome& o) {
  using p = policies<L>;
  typename state<L>::request_type r;
  r.key = key;
  r.irs = s.seq;
  r.iss = facts.isn != 0 ? facts.isn : p::isn::isn(high(h), l.now);
  negotiate<typename p::offer>(r, s, true);
  r.deadline = after(l.now, p::schedule::timeout(0));
  const bool was_empty = l.requests.size() == 0;
  const auto i = l.requests.insert(r, low(h));
  if (i == l.npos) {
    o.verdict = verdict::dropped_no_memory;
    return;
  }
  l.budget.get().entered(key);
  const auto syn_ack = l.next_syn_ack(l.requests[i], h);
  l.requests[i].first_ts = l.requests[i].last_ts;
  if (answer(syn_ack, out, o) == send_result::failed && p::send_failure::forgets({.resent = false, .acked = false})) {
    l.forget_request(i, h, departure::send_failed);
    o.verdict = verdict::dropped_send_failed;
    return;
  }
  if constexpr (p::clockwork::sweeps) {
    if (was_empty) l.hand.due = r.deadline;
  }
}

template <class L, class Sink>
constexpr void send_cookie(state<L>& l, const typename state<L>::segment_type& s,
                           const typename state<L>::key_type& key, std::uint64_t h, Sink& out, outcome& o) {
  using p = policies<L>;
  const key_words<typename p::family> w{key};
  const auto& codec = l.cookies.get().codec;
  typename state<L>::request_type r;
  r.key = key;
  r.irs = s.seq;
  negotiate<typename p::offer>(r, s, s.options.timestamps);
  r.iss = codec.make({w.word, w.count, r.irs, r.peer_mss}, l.now);
  tcp_options bits;
  bits.sack_permitted = r.sack;
  if (r.window_scaling) bits.window_scale = r.send_scale;
  const std::uint32_t clock = codec.encode(timestamp(l.now, 0), bits, r.ecn);
  l.last_cookie = l.now;
  o.verdict = verdict::cookie_sent;
  answer(syn_ack<typename p::offer>(r, clock + l.ts_offset(h)), out, o);
}

/// A SYN without ACK and RST; `i` is its request or `npos`.
template <class L, class Sink>
constexpr outcome on_syn(state<L>& l, const typename state<L>::segment_type& s, const typename state<L>::key_type& key,
                         std::uint64_t h, typename state<L>::index i, Sink& out, const arrival& facts) {
  using p = policies<L>;
  if (i == l.npos && s.flags.has(flag::fin) && !p::validation::syn_fin) return {verdict::ignored};
  outcome o{verdict::admitted};
  const cookie_mode mode = p::cookies::mode(l.tunables);
  const syn_facts f{.lengths = l.lengths(),
                    .young = l.requests.young(),
                    .backlog = l.backlog,
                    .limit = l.limit,
                    .request_full = l.request_full(),
                    .accept_full = l.accept_full(),
                    .isn_chosen = facts.isn != 0,
                    .proven = facts.proven,
                    .refused = facts.refused,
                    .cookies_always = mode == cookie_mode::always};
  bool known = false;
  bool evict = false;
  const bool ended = p::admission::any([&]<class G>() {
    if constexpr (G::owner == gate_owner::known_request) {
      return known = i != l.npos;
    } else if constexpr (G::owner == gate_owner::budget) {
      return !l.budget.get().allows(key) && refuse(verdict::dropped_over_budget, s, out, o);
    } else {
      return G::closed(f, l.tunables) && at_closed_gate<G>(l, s, f, mode, evict, out, o);
    }
  });
  if (known) return on_request(l, s, h, i, out);
  if (ended) return o;
  if (evict && !evict_oldest_request(l, o)) {
    refuse(verdict::dropped_request_full, s, out, o);
    return o;
  }
  if (o.stages.has(stage::cookie_wanted)) {
    if constexpr (p::cookies::possible) send_cookie(l, s, key, h, out, o);
  } else {
    store_request(l, s, key, h, out, facts, o);
  }
  return o;
}

}  // namespace listenq::detail
