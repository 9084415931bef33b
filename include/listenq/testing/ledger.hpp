// SPDX-License-Identifier: BSL-1.0
// The ledger: the invariants that one state does not show. It is told of every event of a listener right after it
// happened, holds the state it finds against the one it remembers, and balances the books: what came in = what went
// out + what is there.
//
// It does not know which verdict is due, only what a verdict must mean. It allocates and walks both queues at each
// event: for tests, not for production.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <listenq/handshake.hpp>
#include <listenq/outcome.hpp>
#include <listenq/testing/invariants.hpp>
#include <span>
#include <utility>
#include <vector>

namespace listenq::testing {

namespace detail {

enum class answer_kind : std::uint8_t { none, syn_ack, reset, ack };

/// What a verdict means: where its request and its connection go, and what the sender hears.
struct meaning {
  bool enters = false;  ///< a request is stored
  bool leaves = false;  ///< the segment's request goes
  bool waits = false;   ///< a connection enters the accept queue
  answer_kind says = answer_kind::none;
};
constexpr meaning meaning_of(verdict v) noexcept {
  switch (v) {
    case verdict::admitted:
      return {.enters = true, .says = answer_kind::syn_ack};
    case verdict::cookie_sent:
    case verdict::duplicate_syn:
    case verdict::wrong_ack_resent:
      return {.says = answer_kind::syn_ack};
    case verdict::reset_request_full:
    case verdict::reset_accept_full:
    case verdict::dropped_by_gate:
    case verdict::wrong_ack:
    case verdict::stray:
    case verdict::not_listening:
      return {.says = answer_kind::reset};
    case verdict::out_of_window:
    case verdict::challenged:
      return {.says = answer_kind::ack};
    case verdict::request_reset:
    case verdict::duplicate_unsent:
    case verdict::overflow_forgotten:
      return {.leaves = true};
    case verdict::request_reset_by_syn:
    case verdict::wrong_ack_forgotten:
    case verdict::overflow_reset:
      return {.leaves = true, .says = answer_kind::reset};
    case verdict::promoted:
      return {.leaves = true, .waits = true};
    case verdict::fast_opened:
      return {.waits = true, .says = answer_kind::syn_ack};
    case verdict::cookie_promoted:
      return {.waits = true};
    default:
      return {};
  }
}

constexpr answer_kind kind_of(flags f) noexcept {
  if (f.has(flag::rst)) return answer_kind::reset;
  if (f.has(flag::syn | flag::ack)) return answer_kind::syn_ack;
  return f.has(flag::ack) ? answer_kind::ack : answer_kind::none;
}

/// May a segment with these flags, for which there is a request or not, end so?
constexpr bool fits(verdict v, flags f, bool known) noexcept {
  const bool of_syn = v <= verdict::reset_accept_full;
  const bool of_request = v >= verdict::duplicate_syn && v <= verdict::overflow_forgotten;
  if (f.has(flag::syn) && !f.any(flag::ack | flag::rst)) {
    if (known) return v != verdict::admitted && (of_syn || of_request);
    return of_syn || v == verdict::ignored;
  }
  if (known) return of_request || (v == verdict::cookie_overflow && f.has(flag::ack));
  if (f.has(flag::rst)) return v == verdict::ignored;
  if (!f.has(flag::ack)) return v == verdict::ignored || v == verdict::stray;
  if (f.has(flag::syn)) return v == verdict::stray || v == verdict::ignored;  // FreeBSD drops a SYN-ACK since 2025
  return v == verdict::stray || v == verdict::cookie_promoted || v == verdict::cookie_overflow;
}

}  // namespace detail

/// The books of one listener. It is told of every event right after it happened, with what was sent meanwhile, and
/// calls `f(invariant)` for what does not add up. `never_request_and_child` supposes what every stack does: a segment
/// of a connection goes to the connection, not to the listener.
template <observable L>
class ledger {
 public:
  using key_type = typename L::key_type;
  using segment_type = typename L::segment_type;
  using request_type = typename L::request_type;
  using handle_type = typename L::handle_type;
  using segments = std::span<const segment_type>;

  /// Opens the books with whatever there is now.
  explicit ledger(const L& l, const expectations& e = {})
      : expected_{e},
        before_{look(l)},
        start_{linux_counts_of(l)},
        admitted_{before_.requests.size()},
        connected_{before_.waiting.size()},
        lost_{lost_to_neighbours(l)} {
    expected_.cookies_hide_requests = e.cookies_hide_requests || detail::pauses_queue<L>;
  }

  /// After `receive(s, now, sink, facts)`; `sent` is what the sink said `sent` to.
  template <class F>
  void received(const L& l, const segment_type& s, const arrival& facts, const outcome& o, segments sent, F&& f) {
    const state was = turn(l);
    const key_type key = four_tuple_of(s);
    const request_type* const own = find(was, key);
    const detail::meaning m = detail::meaning_of(o.verdict);
    const bool evicted = o.stages.has(stage::evicted);
    const bool orphan = o.verdict == verdict::not_listening && own != nullptr && !expected_.requests_outlive_close;
    const bool fits = detail::fits(o.verdict, s.flags, own != nullptr) ||
                      (expected_.cookies_hide_requests && detail::fits(o.verdict, s.flags, false));
    expect(was.listening ? fits : o.verdict == verdict::not_listening, invariant::verdict_fits_segment, f);
    expect(orphan == o.stages.has(stage::request_ended), invariant::verdict_fits_segment, f);

    const request_type* victim = nullptr;
    std::size_t gone = 0;
    for (const request_type& r : was.requests) {
      const request_type* const now = find(before_, r.key);
      if (now == nullptr) ++gone;
      if (&r == own) continue;
      if (now == nullptr) {
        victim = &r;
      } else {
        expect(detail::same_request(r, *now), invariant::others_untouched, f);
      }
    }
    const bool own_left = own != nullptr && find(before_, key) == nullptr;
    // Where a gate stands before the lookup, a duplicate SYN can be refused and its own request be the one that goes.
    const bool own_evicted = evicted && victim == nullptr && own_left && !m.leaves;
    if (own_evicted) victim = own;
    // Of a queue that is shared, a neighbour's request may have gone.
    const bool of_neighbour = evicted && victim == nullptr && expected_.shares_queue;
    expect(own_left == (m.leaves || orphan || own_evicted) &&
               gone == (m.leaves || orphan ? 1U : 0U) + (evicted && !of_neighbour ? 1U : 0U) &&
               before_.requests.size() + gone == was.requests.size() + (m.enters ? 1U : 0U) &&
               (!m.enters || entered(s)) && (m.enters || own != nullptr || find(before_, key) == nullptr),
           invariant::queues_move_as_said, f);
    expect(!evicted || of_neighbour || (victim != nullptr && as_ruled(l, was, *victim, key)),
           invariant::victim_as_ruled, f);
    expect(answered(s, o, m, own, victim, sent), invariant::answer_fits_verdict, f);
    expect(!m.enters || facts.isn != 0 || evicted || !expected_.bounds_requests || was.requests.size() < was.limit,
           invariant::stored_only_with_room, f);
    if (const request_type* const now = find(before_, key); own != nullptr && now != nullptr) {
      const bool acks = o.verdict == verdict::overflow_kept || o.verdict == verdict::deferred;
      expect(now->acked == (own->acked || acks), invariant::acked_is_monotone, f);
      const bool starts_over =
          expected_.duplicates_start_over && o.verdict == verdict::duplicate_syn && o.stages.has(stage::answered);
      expect(now->timeouts == (starts_over ? 0 : own->timeouts), invariant::young_once, f);
      expect(now->iss == own->iss && now->irs == own->irs && (starts_over || now->deadline >= own->deadline),
             invariant::queues_move_as_said, f);
    }
    const bool had_its_slot = expected_.waiting_counts_requests && m.leaves;
    expect(!m.waits || !was.accept_full || had_its_slot, invariant::promoted_only_with_room, f);
    const bool behind = m.waits && before_.waiting.size() == was.waiting.size() + 1;
    expect(before_.waiting.size() == was.waiting.size() + (m.waits ? 1U : 0U), invariant::queues_move_as_said, f);
    expect(std::equal(was.waiting.begin(), was.waiting.end(), before_.waiting.begin(),
                      before_.waiting.end() - (behind ? 1 : 0)) &&
               (!behind || detail::names(before_.waiting.back(), key)),
           invariant::first_in_first_out, f);

    admitted_ += m.enters ? 1U : 0U;
    left_ += (m.leaves ? 1U : 0U) + (evicted && !of_neighbour ? 1U : 0U) + (orphan ? 1U : 0U);
    connected_ += m.waits ? 1U : 0U;
    made_ += m.waits || o.verdict == verdict::cookie_in_vain ? 1U : 0U;
    acks_ += s.flags.has(flag::ack) ? 1U : 0U;
    cookies_ += o.verdict == verdict::cookie_sent ? 1U : 0U;
    floods_ += o.stages.has(stage::cookie_wanted) ? 1U : 0U;
    balance(l, f);
  }

  /// After `tick(now, sink)`.
  template <class F>
  void ticked(const L& l, instant now, const tick_summary& t, segments sent, F&& f) {
    const state was = turn(l);
    std::size_t gone = 0;
    std::size_t aged = 0;
    bool due_only = true;
    for (const request_type& r : was.requests) {
      const request_type* const after = find(before_, r.key);
      if (after != nullptr && detail::same_request(*after, r)) {
        due_only = due_only && (!expected_.exact_deadlines || t.later || r.deadline > now);
        continue;
      }
      due_only = due_only && r.deadline <= now;
      if (after == nullptr) {
        ++gone;
        continue;
      }
      ++aged;
      due_only = due_only && after->deadline > now;
      expect(after->timeouts == (r.timeouts < 255 ? r.timeouts + 1 : 255), invariant::young_once, f);
      expect(after->acked == r.acked, invariant::acked_is_monotone, f);
    }
    instant last = std::numeric_limits<instant>::min();
    for (const segment_type& s : sent) {
      const request_type* const r =
          find(was, {s.destination.address, s.source.address, s.destination.port, s.source.port});
      expect(r != nullptr && detail::kind_of(s.flags) == detail::answer_kind::syn_ack && s.seq == r->iss,
             invariant::answer_fits_verdict, f);
      if (r == nullptr) continue;
      due_only = due_only && (!expected_.exact_deadlines || last <= r->deadline);
      last = r->deadline;
    }
    expect(due_only && gone == t.forgotten && gone + aged == t.timers && t.resent == sent.size(),
           invariant::timers_when_due, f);
    expect(was.requests.size() == before_.requests.size() + gone && was.waiting == before_.waiting,
           invariant::queues_move_as_said, f);
    left_ += t.forgotten;
    balance(l, f);
  }

  /// After `accept`, which returned this.
  template <class F>
  void accepted(const L& l, accept_status status, const handle_type& handle, F&& f) {
    const state was = turn(l);
    const bool out = status == accept_status::ok || status == accept_status::aborted;
    const bool fits = !was.listening ? status == accept_status::not_listening
                                     : out != was.waiting.empty() && status != accept_status::not_listening;
    const std::size_t n = out && fits ? 1 : 0;
    expect(fits && (n == 0 || handle == was.waiting.front()) &&
               std::equal(was.waiting.begin() + static_cast<std::ptrdiff_t>(n), was.waiting.end(),
                          before_.waiting.begin(), before_.waiting.end()),
           invariant::first_in_first_out, f);
    expect(unchanged(was), invariant::others_untouched, f);
    accepted_ += out ? 1U : 0U;
    balance(l, f);
  }

  /// After `listen`; `ok` is whether it worked.
  template <class F>
  void listened(const L& l, bool ok, F&& f) {
    const state was = turn(l);
    if (ok && !was.listening) {
      const bool keeps = expected_.requests_outlive_close || keeps_;
      const bool as_ruled = keeps ? unchanged(was) : before_.requests.empty();
      expect(l.listening() && as_ruled && before_.waiting.empty(), invariant::listen_loses_nothing, f);
      left_ += was.requests.size() - before_.requests.size();
    } else {
      expect(l.listening() == was.listening && unchanged(was) && was.waiting == before_.waiting &&
                 (ok || was.limit == before_.limit),
             invariant::listen_loses_nothing, f);
    }
    balance(l, f);
  }

  /// After `close(sink)`: what it handed back, and what it sent. `shut_down`: after `shutdown(how, sink)`, which leaves
  /// the socket there: requests that it has left to their timer are good again after the next listen().
  template <class F>
  void closed(const L& l, const close_summary& c, std::span<const handle_type> children, segments sent, F&& f,
              bool shut_down = false) {
    const state was = turn(l);
    const bool all_stay = c.requests == 0 && unchanged(was);
    const bool all_go = c.requests == was.requests.size() && before_.requests.empty();
    const bool all_are_told = sent.empty() || (all_go && sent.size() == c.requests);
    const bool told_to_go = std::all_of(sent.begin(), sent.end(), [&was](const segment_type& s) {
      return s.flags.has(flag::rst) &&
             find(was, {s.destination.address, s.source.address, s.destination.port, s.source.port}) != nullptr;
    });
    expect(!l.listening() && before_.waiting.empty() && (all_stay || all_go) && all_are_told && told_to_go &&
               c.children == was.waiting.size() &&
               std::equal(was.waiting.begin(), was.waiting.end(), children.begin(), children.end()),
           invariant::close_is_clean, f);
    left_ += c.requests;
    killed_ += c.children;
    keeps_ = shut_down;
    balance(l, f);
  }

  /// After `unreachable`, which returned this.
  template <class F>
  void unreachable(const L& l, const key_type& key, bool ended, F&& f) {
    const state was = turn(l);
    expect(was.requests.size() == before_.requests.size() + (ended ? 1U : 0U) &&
               (!ended || (find(was, key) != nullptr && find(before_, key) == nullptr)) &&
               was.waiting == before_.waiting,
           invariant::queues_move_as_said, f);
    left_ += ended ? 1U : 0U;
    balance(l, f);
  }

  /// After an event of a listener that shares the queue with this one, which may have evicted this one's requests.
  template <class F>
  void robbed(const L& l, F&& f) {
    const state was = turn(l);
    const std::uint64_t lost = lost_to_neighbours(l) - lost_;
    bool same = was.requests.size() == before_.requests.size() + lost && was.waiting == before_.waiting;
    for (const request_type& r : before_.requests) {
      const request_type* const old = find(was, r.key);
      same = same && old != nullptr && detail::same_request(*old, r);
    }
    expect(same, invariant::others_untouched, f);
    left_ += lost;
    lost_ += lost;
    balance(l, f);
  }

  /// After anything that moves nobody: `set`, `child_gone`.
  template <class F>
  void touched(const L& l, F&& f) {
    const state was = turn(l);
    expect(unchanged(was) && was.waiting == before_.waiting, invariant::others_untouched, f);
    balance(l, f);
  }

 private:
  struct state {
    std::vector<request_type> requests{};  ///< in the order in which they were stored
    std::vector<handle_type> waiting{};
    std::vector<std::pair<key_type, std::uint32_t>> buckets{};  ///< of the requests, where there are buckets
    std::uint32_t limit = 0;
    bool listening = false;
    bool accept_full = false;
  };

  template <class F>
  static void expect(bool holds, invariant i, F&& f) {
    if (!holds) f(i);
  }
  static const request_type* find(const state& s, const key_type& key) {
    const auto i = std::find_if(s.requests.begin(), s.requests.end(), [&](const auto& r) { return r.key == key; });
    return i == s.requests.end() ? nullptr : &*i;
  }
  static state look(const L& l) {
    state s;
    l.for_each_request([&s](const request_type& r) { s.requests.push_back(r); });
    l.for_each_waiting([&s](const handle_type& h) { s.waiting.push_back(h); });
    if constexpr (has_buckets<L>) {
      l.for_each_request([&](const request_type& r) { s.buckets.emplace_back(r.key, l.bucket_of(r.key)); });
    }
    s.limit = l.request_limit();
    s.listening = l.listening();
    s.accept_full = l.accept_full();
    return s;
  }
  /// Looks again; returns what was there before.
  state turn(const L& l) {
    state now = look(l);
    std::vector<request_type>& r = now.requests;
    auto place = r.begin();
    for (const request_type& old : before_.requests) {
      const auto i = std::find_if(place, r.end(), [&old](const auto& x) { return x.key == old.key; });
      if (i != r.end()) std::iter_swap(place++, i);
    }
    std::swap(before_, now);
    return now;
  }
  bool unchanged(const state& was) const {
    return std::equal(was.requests.begin(), was.requests.end(), before_.requests.begin(), before_.requests.end(),
                      detail::same_request<request_type>);
  }
  bool entered(const segment_type& s) const {
    const request_type* const r = find(before_, four_tuple_of(s));
    return r != nullptr && r->timeouts == 0 && r->irs == s.seq && !r->acked && r->retransmits == 0;
  }
  static std::uint64_t lost_to_neighbours(const L& l) {
    if constexpr (requires { l.lost_to_neighbours(); }) {
      return l.lost_to_neighbours();
    } else {
      return 0;
    }
  }
  /// Is this the one that the rule takes for the newcomer `key`? `was` lists requests in the order of their coming.
  bool as_ruled(const L& l, const state& was, const request_type& victim, const key_type& key) const {
    if (expected_.evicted == victims::anybody) return true;
    if (expected_.evicted == victims::oldest) return &victim == was.requests.data();
    if constexpr (has_buckets<L>) {
      const auto bucket = [&was](const key_type& k) {
        const auto i =
            std::find_if(was.buckets.begin(), was.buckets.end(), [&k](const auto& b) { return b.first == k; });
        return i->second;
      };
      const auto oldest_in = [&](std::uint32_t b) {
        return std::find_if(was.requests.begin(), was.requests.end(),
                            [&](const request_type& r) { return bucket(r.key) == b; });
      };
      std::uint32_t at = l.bucket_of(key);
      const std::uint32_t first = at - at % expected_.buckets;
      for (std::uint32_t n = 0; n < expected_.buckets; ++n) {
        const auto i = oldest_in(at);
        if (i != was.requests.end()) return &*i == &victim;
        if (expected_.evicted == victims::oldest_in_bucket) return false;
        at = at + 1 == first + expected_.buckets ? first : at + 1;
      }
    }
    return false;
  }
  bool answered(const segment_type& s, const outcome& o, const detail::meaning& m, const request_type* own,
                const request_type* victim, segments sent) const {
    const bool rst = s.flags.has(flag::rst);
    if (o.stages.has(stage::evicted_reset)) {
      if (sent.empty() || !sent.front().flags.has(flag::rst)) return false;
      if (victim != nullptr &&
          (sent.front().destination != victim->key.peer() || sent.front().seq != victim->iss + 1)) {
        return false;
      }
      sent = sent.subspan(1);
    }
    if (o.stages.has(stage::answered) != (sent.size() == 1) || sent.size() > 1) return false;
    if (sent.empty()) {
      return m.says == detail::answer_kind::none || rst || o.stages.has(stage::send_failed) ||
             o.stages.has(stage::rate_limited) || o.verdict == verdict::dropped_by_gate;
    }
    const segment_type& a = sent.front();
    const detail::answer_kind kind = detail::kind_of(a.flags);
    const bool of_request = own != nullptr && o.verdict != verdict::cookie_sent;
    const seq_number first = (of_request ? own->irs : s.seq) + 1;
    const std::size_t taken = o.verdict == verdict::fast_opened ? s.payload.size : 0;
    if (kind == detail::answer_kind::syn_ack && a.ack - first > taken) return false;
    if (kind == detail::answer_kind::reset && (s.flags.has(flag::ack) ? a.seq != s.ack : a.ack != s.end()))
      return false;
    // A cookie that finds no room is ignored or, where a request would get a RST, gets one, too (FreeBSD).
    const bool in_vain = o.verdict == verdict::cookie_overflow && kind == detail::answer_kind::reset;
    return (kind == m.says || in_vain) && o.stages.has(stage::answered_reset) == (kind == detail::answer_kind::reset) &&
           !(rst && kind == detail::answer_kind::reset) && a.destination == s.source && a.source == s.destination;
  }
  template <class F>
  void balance(const L& l, F&& f) {
    expect(admitted_ == left_ + l.request_count(), invariant::requests_conserved, f);
    expect(connected_ == accepted_ + killed_ + l.accept_count(), invariant::connections_conserved, f);
    if (expected_.counts && std::convertible_to<decltype(l.counters()), counter_values>) {
      const counter_values c = linux_counts_of(l);
      expect(c.passive_opens - start_.passive_opens == made_, invariant::passive_opens_are_children, f);
      expect(c.syncookies_sent - start_.syncookies_sent == cookies_ &&
                 c.syncookies_recv - start_.syncookies_recv <= acks_ &&
                 (!expected_.counts_cookies || c.req_q_full_do_cookies - start_.req_q_full_do_cookies == floods_),
             invariant::cookies_add_up, f);
    }
    for_each_violation(l, f, expected_);
  }

  expectations expected_;
  state before_;
  bool keeps_ = false;  ///< the socket was shut down, not closed
  counter_values start_;
  std::uint64_t admitted_ = 0;   ///< requests that came
  std::uint64_t left_ = 0;       ///< requests that went, by what the records say
  std::uint64_t connected_ = 0;  ///< connections that came
  std::uint64_t accepted_ = 0;
  std::uint64_t killed_ = 0;
  std::uint64_t made_ = 0;
  std::uint64_t acks_ = 0;
  std::uint64_t cookies_ = 0;
  std::uint64_t floods_ = 0;
  std::uint64_t lost_ = 0;  ///< requests that neighbours have evicted, so far
};

}  // namespace listenq::testing
