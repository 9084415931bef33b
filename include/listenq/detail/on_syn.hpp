// SPDX-License-Identifier: BSL-1.0
// A SYN: the gates in their order, then a cookie, a connection at once (fast open) or a request. The gates are
// `admission`'s, what a closed one does is asked of `cookies`, `request_full`, `accept_full_at_syn` and `budget`.
#pragma once

#include <concepts>
#include <listenq/detail/cookies_ahead.hpp>
#include <listenq/detail/making_room.hpp>
#include <listenq/detail/on_fast_open.hpp>
#include <listenq/detail/on_request.hpp>
#include <listenq/detail/state.hpp>

namespace listenq::detail {

/// The SYN ends here. Always true, so that a gate can return it.
template <class Segment, class Sink>
[[gnu::always_inline]] constexpr bool refuse(verdict v, const Segment& s, Sink& out, outcome& o) {
  o.verdict = v;
  if (v == verdict::reset_request_full || v == verdict::reset_accept_full) o.stages.add(answer_reset(s, out));
  return true;
}

/// What a closed gate does; true if the SYN ends here. `room`: how, if it passes the later gates, too, another request
/// goes for it.
template <class G, class L, class Sink>
constexpr bool at_closed_gate(state<L>& l, const typename state<L>::segment_type& s, std::uint64_t h,
                              const syn_facts& f, cookie_mode mode, making_room& room, Sink& out, outcome& o) {
  using p = policies<L>;
  if constexpr (G::owner == gate_owner::request_queue) {
    if (f.request_full) o.stages.add(stage::request_full);
    if constexpr (bucketed<typename p::sizing>) {
      if (l.requests.order().crowded(low(h))) {
        l.requests.order().overflow(low(h), l.now);
        l.pause();
        o.stages.add(stage::bucket_full);
      }
    }
    if (mode == cookie_mode::under_pressure || mode == cookie_mode::always) {
      o.stages.add(stage::cookie_wanted);
      return false;
    }
    const syn_answer a = l.on_request_full.get().on_request_full(l.overflow(false));
    if (a == syn_answer::admit) return false;
    if (a == syn_answer::reset) return refuse(verdict::reset_request_full, s, out, o);
    if (a == syn_answer::drop_and_evict_most_retried) evict<typename p::request_full>(l, a, h, out, o);
    if (!evicts(a) || a == syn_answer::drop_and_evict_most_retried) {
      return refuse(verdict::dropped_request_full, s, out, o);
    }
    if (room.how == syn_answer::admit) room = {a, G::owner};
    return false;
  } else if constexpr (G::owner == gate_owner::accept_queue) {
    o.stages.add(stage::accept_full);
    const syn_answer a = l.on_accept_full.get().on_accept_full(l.overflow(o.stages.has(stage::cookie_wanted)));
    if (a == syn_answer::admit) return false;
    if (a == syn_answer::reset) return refuse(verdict::reset_accept_full, s, out, o);
    if (!evicts(a) || a == syn_answer::drop_and_evict_most_retried || !opens_with_one_less<G>(l, f)) {
      return refuse(verdict::dropped_accept_full, s, out, o);
    }
    if (room.how == syn_answer::admit) room = {a, G::owner};
    return false;
  } else if constexpr (G::owner == gate_owner::refusal) {
    return refuse(verdict::dropped_refused, s, out, o);
  } else if constexpr (G::owner == gate_owner::last_quarter) {
    // Not asked of a SYN that a cookie answers: it takes no room.
    if (o.stages.has(stage::cookie_wanted)) return false;
    return refuse(verdict::dropped_last_quarter, s, out, o);
  } else {
    refuse(verdict::dropped_by_gate, s, out, o);
    if (G::answer == syn_answer::reset) o.stages.add(answer_reset(s, out));
    return true;
  }
}

/// Asks a gate; true if the SYN ends here.
template <class G, class L, class Sink>
[[gnu::always_inline]] constexpr bool at_gate(state<L>& l, const typename state<L>::segment_type& s, std::uint64_t h,
                                              const syn_facts& f, cookie_mode mode, making_room& room, Sink& out,
                                              outcome& o) {
  if constexpr (G::owner == gate_owner::budget) {
    if (l.budget.get().allows(four_tuple_of(s))) return false;
    return refuse(verdict::dropped_over_budget, s, out, o);
  } else {
    if (!G::closed(f, l.tunables)) [[likely]]
      return false;
    outcome met = copied(o);
    const bool ended = at_closed_gate<G>(l, s, h, f, mode, room, out, met);
    o = copied(met);
    return ended;
  }
}

/// An ISS that is a cookie for `r`. `macs`: what has been found of it ahead.
template <class L, class R>
[[gnu::always_inline]] constexpr void sign(state<L>& l, R& r, std::uint64_t h, const found_macs& macs = {}) noexcept {
  using p = policies<L>;
  const key_words<typename p::family> w{r.key};
  auto& cookies = l.cookies.get();
  cookie_facts f = l.cookie_for(w, r.key, r.irs, h);
  if (macs.any) f.macs = &macs.pair;
  r.iss = cookies.make(f, cookie_options_of<typename p::offer>(r), l.now);
  cookies.window.sent(l.now);
}

/// `macs`: what has been found ahead.
template <class L, class Sink>
[[gnu::always_inline]] constexpr void send_cookie(state<L>& l, const typename state<L>::segment_type& s,
                                                  std::uint64_t h, const found_macs& macs, Sink& out, outcome& o) {
  using p = policies<L>;
  using codec = typename p::cookies::codec;
  typename state<L>::request_type r;
  begin<typename p::offer>(r, seq_number{0}, s);
  forget_beyond(r, codec::carries);
  sign(l, r, h, macs);
  const std::uint32_t clock = codec::stamp(timestamp(l.now, 0), cookie_options_of<typename p::offer>(r));
  o.verdict = verdict::cookie_sent;
  answer(syn_ack<typename p::offer>(r, clock + l.ts_offset(h)), out, o);
}
/// Where nothing has: out of the way of all other segments, whose registers it would take. `met`: the stages so far.
template <class L, class Sink>
[[gnu::noinline]] constexpr outcome send_cookie_apart(state<L>& l, const typename state<L>::segment_type& s,
                                                      std::uint64_t h, Sink& out, stages met) {
  outcome o{.stages = met};
  send_cookie(l, s, h, found_macs{}, out, o);
  return copied(o);
}

/// The number that our side begins with.
template <class L>
constexpr seq_number first_number(const state<L>& l, std::uint64_t h, const arrival& facts) noexcept {
  return facts.isn != 0 ? facts.isn : policies<L>::isn::isn(high(h), l.now);
}

/// `offer`: a cookie of fast open that its SYN-ACK brings along.
template <class L, class Sink>
[[gnu::always_inline]] constexpr void store_request(state<L>& l, const typename state<L>::segment_type& s,
                                                    std::uint64_t h, bool cookie_in_iss, Sink& out,
                                                    const arrival& facts, const fast_open_option& offer, outcome& o) {
  using p = policies<L>;
  const seq_number iss = first_number(l, h, facts);
  const bool signs = cookie_in_iss && facts.isn == 0;
  const auto i = l.requests.take();
  if (i == l.npos) [[unlikely]] {
    if constexpr (p::cookies::possible) {
      // It has taken the time of one, which a window notices.
      if (signs) {
        l.cookies.get().window.sent(l.now);
        o.stages.add(stage::cookie_in_iss);
      }
    }
    o.verdict = verdict::dropped_no_memory;
    return;
  }
  auto& r = l.requests[i];
  begin<typename p::offer>(r, iss, s);
  if constexpr (p::cookies::possible) {
    if (signs) {
      sign(l, r, h);
      o.stages.add(stage::cookie_in_iss);
    }
  }
  const instant deadline = after(l.now, p::schedule::timeout(0));
  const bool was_empty = l.requests.size() == 0;
  if constexpr (bucketed<typename p::sizing>) {
    if (l.requests.order().wants_seed()) {
      if constexpr (draws<p>) l.requests.order().seed(l.draw());
    }
  }
  l.requests.store(i, deadline, low(h));
  l.budget.get().entered(r.key);
  auto syn_ack = l.next_syn_ack(r, h);
  if (offer.present()) syn_ack.options.fast_open = offer;  // in the first one only, as on Linux
  if constexpr (remembers_answers<typename state<L>::stored_type>) r.first_ts = r.last_ts;
  if (answer(syn_ack, out, o) == send_result::failed && p::send_failure::forgets({.resent = false, .acked = false})) {
    l.forget_request(i, h, departure::send_failed);
    o.verdict = verdict::dropped_send_failed;
    return;
  }
  if constexpr (p::clockwork::sweeps) {
    if (was_empty) l.hand.start(state<L>::requests_type::rounded(deadline));
  }
}

/// Where something has been noted on the way, or the SYN may open its connection at once.
template <class L, class Sink>
[[gnu::noinline]] constexpr outcome open_or_store(state<L>& l, const typename state<L>::segment_type& s,
                                                  std::uint64_t h, bool cookie_in_iss, Sink& out, arrival facts,
                                                  stages met) {
  using p = policies<L>;
  outcome o{.verdict = verdict::admitted, .stages = met};
  fast_open_option offer;
  if constexpr (opens_at_syn<p>) {
    if (may_open_at_syn(l, s)) {
      typename state<L>::request_type r;
      begin<typename p::offer>(r, first_number(l, h, facts), s);
      if (open_at_syn(l, r, s, h, out, o, offer)) return copied(o);
    }
  }
  store_request(l, s, h, cookie_in_iss, out, facts, offer, o);
  return copied(o);
}

/// Does a SYN that belongs to a request meet no gate?
template <class Admission>
inline constexpr bool known_first = [] {
  bool known = false;
  Admission::any([&known]<class G>() {
    known = G::owner == gate_owner::known_request;
    return true;
  });
  return known;
}();

/// A segment that wants to open a connection; `i` is its request or `npos`.
template <class L, class Ahead, class Sink>
[[gnu::always_inline]] constexpr outcome on_syn(state<L>& l, const typename state<L>::segment_type& s, std::uint64_t h,
                                                typename state<L>::index i, Ahead ahead, Sink& out,
                                                const arrival& facts) {
  using p = policies<L>;
  outcome o;
  const cookie_mode mode = l.mode();
  const syn_facts f{.lengths = l.lengths(),
                    .young = l.requests.young(),
                    .backlog = l.backlog,
                    .limit = l.limit,
                    .request_full = l.requests.full(l.limit, low(h)),
                    .accept_full = l.accept_full(),
                    // Where requests are not looked up, none is stored either: there may be one already.
                    .isn_chosen = facts.isn != 0 && l.sees_requests(),
                    .proven = facts.proven,
                    .refused = facts.refused,
                    .cookies_always = mode == cookie_mode::always};
  bool known = false;
  making_room room;
  const bool ended = p::admission::any([&]<class G>() __attribute__((always_inline)) {
    if constexpr (G::owner == gate_owner::known_request) {
      return known = !known_first<typename p::admission> && i != l.npos;
    } else {
      return at_gate<G>(l, s, h, f, mode, room, out, o);
    }
  });
  if constexpr (!known_first<typename p::admission>) {
    if (known) return on_request(l, s, h, i, out);
  }
  if (ended) [[unlikely]]
    return l.noted(s, o);
  const bool instead = o.stages.has(stage::cookie_wanted);
  const bool beside = mode == cookie_mode::beside_requests;
  bool has_room = true;
  if (room.how != syn_answer::admit) [[unlikely]] {
    outcome met = copied(o);
    has_room = make_room(l, room, h, out, met);
    o = copied(met);
  }
  if (has_room && !instead) [[likely]] {
    if (o.stages == stages{} && !(opens_at_syn<p> && may_open_at_syn(l, s))) [[likely]] {
      outcome fresh{.verdict = verdict::admitted};
      store_request(l, s, h, beside, out, facts, fast_open_option{}, fresh);
      if (!beside) return l.noted(s, fresh);
      o = fresh;
    } else {
      o = open_or_store(l, s, h, beside, out, facts, o.stages);
    }
  }
  if constexpr (p::cookies::possible) {
    // Where a cookie is in every ISS, it helps out when there is nobody to evict and no memory (FreeBSD, syncache_add).
    const bool helps =
        beside && (o.verdict == verdict::dropped_request_full || o.verdict == verdict::dropped_no_memory);
    if (helps) o.stages.add(stage::cookie_wanted);
    if (helps || (has_room && instead)) {
      if constexpr (std::same_as<Ahead, nothing_ahead>) {
        o = send_cookie_apart(l, s, h, out, o.stages);
      } else {
        send_cookie(l, s, h, ahead.macs(l), out, o);
      }
    }
  }
  return l.noted(s, o);
}

}  // namespace listenq::detail
