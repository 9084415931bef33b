// SPDX-License-Identifier: BSL-1.0
// The ledger: the invariants that one state does not show. It is told of every event of a listener right after it
// happened, holds the state it finds against the one it remembers, and balances the books: what came in = what went
// out + what is there.
//
// It does not know which verdict is due, only what a verdict must mean. It allocates and walks both queues at each
// event: for tests, not for production.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <listenq/handshake.hpp>
#include <listenq/outcome.hpp>
#include <listenq/segment.hpp>
#include <listenq/testing/invariants.hpp>
#include <listenq/testing/ledger/accounts.hpp>
#include <listenq/testing/ledger/meaning.hpp>
#include <listenq/testing/ledger/snapshot.hpp>
#include <listenq/time.hpp>
#include <span>
#include <utility>

namespace listenq::testing {

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
        before_{l},
        accounts_{
            .start = linux_counts_of(l), .admitted = before_.requests.size(), .connected = before_.waiting.size()},
        lost_{lost_to_neighbours(l)} {
    expected_.cookies_hide_requests = e.cookies_hide_requests || detail::pauses_queue<L>;
  }

  /// After `receive(s, now, sink, facts)`; `sent` is what the sink said `sent` to.
  template <class F>
  void received(const L& l, const segment_type& s, const arrival& facts, const outcome& o, segments sent, F&& f) {
    const snapshot was = turn(l);
    const key_type key = four_tuple_of(s);
    const request_type* const own = was.find(key);
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
      const request_type* const now = before_.find(r.key);
      if (now == nullptr) ++gone;
      if (&r == own) continue;
      if (now == nullptr) {
        victim = &r;
      } else {
        expect(detail::same_request(r, *now), invariant::others_untouched, f);
      }
    }
    const bool own_left = own != nullptr && before_.find(key) == nullptr;
    // Where a gate stands before the lookup, a duplicate SYN can be refused and its own request be the one that goes.
    const bool own_evicted = evicted && victim == nullptr && own_left && !m.leaves;
    if (own_evicted) victim = own;
    // Of a queue that is shared, a neighbour's request may have gone.
    const bool of_neighbour = evicted && victim == nullptr && expected_.shares_queue;
    expect(own_left == (m.leaves || orphan || own_evicted) &&
               gone == (m.leaves || orphan ? 1U : 0U) + (evicted && !of_neighbour ? 1U : 0U) &&
               before_.requests.size() + gone == was.requests.size() + (m.enters ? 1U : 0U) &&
               (!m.enters || before_.has_new(key, s.seq)) &&
               (m.enters || own != nullptr || before_.find(key) == nullptr),
           invariant::queues_move_as_said, f);
    expect(!evicted || of_neighbour || (victim != nullptr && was.gives_way(*victim, l, key, expected_)),
           invariant::victim_as_ruled, f);
    expect(detail::answer_fits(s, o, own, victim, sent), invariant::answer_fits_verdict, f);
    expect(!m.enters || facts.isn != 0 || evicted || !expected_.bounds_requests || was.requests.size() < was.limit,
           invariant::stored_only_with_room, f);
    if (const request_type* const now = before_.find(key); own != nullptr && now != nullptr) {
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

    accounts_.left += (m.leaves ? 1U : 0U) + (evicted && !of_neighbour ? 1U : 0U) + (orphan ? 1U : 0U);
    accounts_.received(s.flags, o);
    balance(l, f);
  }

  /// After `tick(now, sink)`.
  template <class F>
  void ticked(const L& l, instant now, const tick_summary& t, segments sent, F&& f) {
    const snapshot was = turn(l);
    std::size_t gone = 0;
    std::size_t aged = 0;
    bool due_only = true;
    for (const request_type& r : was.requests) {
      const request_type* const after = before_.find(r.key);
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
          was.find({s.destination.address, s.source.address, s.destination.port, s.source.port});
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
    accounts_.left += t.forgotten;
    balance(l, f);
  }

  /// After `accept`, which returned this.
  template <class F>
  void accepted(const L& l, accept_status status, const handle_type& handle, F&& f) {
    const snapshot was = turn(l);
    const bool out = status == accept_status::ok || status == accept_status::aborted;
    const bool fits = !was.listening ? status == accept_status::not_listening
                                     : out != was.waiting.empty() && status != accept_status::not_listening;
    const std::size_t n = out && fits ? 1 : 0;
    expect(fits && (n == 0 || handle == was.waiting.front()) &&
               std::equal(was.waiting.begin() + static_cast<std::ptrdiff_t>(n), was.waiting.end(),
                          before_.waiting.begin(), before_.waiting.end()),
           invariant::first_in_first_out, f);
    expect(was.same_requests(before_), invariant::others_untouched, f);
    accounts_.accepted += out ? 1U : 0U;
    balance(l, f);
  }

  /// After `listen`; `ok` is whether it worked.
  template <class F>
  void listened(const L& l, bool ok, F&& f) {
    const snapshot was = turn(l);
    if (ok && !was.listening) {
      const bool keeps = expected_.requests_outlive_close || keeps_;
      const bool as_ruled = keeps ? was.same_requests(before_) : before_.requests.empty();
      expect(l.listening() && as_ruled && before_.waiting.empty(), invariant::listen_loses_nothing, f);
      accounts_.left += was.requests.size() - before_.requests.size();
    } else {
      expect(l.listening() == was.listening && was.same_requests(before_) && was.waiting == before_.waiting &&
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
    const snapshot was = turn(l);
    const bool all_stay = c.requests == 0 && was.same_requests(before_);
    const bool all_go = c.requests == was.requests.size() && before_.requests.empty();
    const bool all_are_told = sent.empty() || (all_go && sent.size() == c.requests);
    const bool told_to_go = std::all_of(sent.begin(), sent.end(), [&was](const segment_type& s) {
      return s.flags.has(flag::rst) &&
             was.find({s.destination.address, s.source.address, s.destination.port, s.source.port}) != nullptr;
    });
    expect(!l.listening() && before_.waiting.empty() && (all_stay || all_go) && all_are_told && told_to_go &&
               c.children == was.waiting.size() &&
               std::equal(was.waiting.begin(), was.waiting.end(), children.begin(), children.end()),
           invariant::close_is_clean, f);
    accounts_.left += c.requests;
    accounts_.killed += c.children;
    keeps_ = shut_down;
    balance(l, f);
  }

  /// After `unreachable`, which returned this.
  template <class F>
  void unreachable(const L& l, const key_type& key, bool ended, F&& f) {
    const snapshot was = turn(l);
    expect(was.requests.size() == before_.requests.size() + (ended ? 1U : 0U) &&
               (!ended || (was.find(key) != nullptr && before_.find(key) == nullptr)) && was.waiting == before_.waiting,
           invariant::queues_move_as_said, f);
    accounts_.left += ended ? 1U : 0U;
    balance(l, f);
  }

  /// After an event of a listener that shares the queue with this one, which may have evicted this one's requests.
  template <class F>
  void robbed(const L& l, F&& f) {
    const snapshot was = turn(l);
    const std::uint64_t lost = lost_to_neighbours(l) - lost_;
    bool same = was.requests.size() == before_.requests.size() + lost && was.waiting == before_.waiting;
    for (const request_type& r : before_.requests) {
      const request_type* const old = was.find(r.key);
      same = same && old != nullptr && detail::same_request(*old, r);
    }
    expect(same, invariant::others_untouched, f);
    accounts_.left += lost;
    lost_ += lost;
    balance(l, f);
  }

  /// After anything that moves nobody: `set`, `child_gone`.
  template <class F>
  void touched(const L& l, F&& f) {
    const snapshot was = turn(l);
    expect(was.same_requests(before_) && was.waiting == before_.waiting, invariant::others_untouched, f);
    balance(l, f);
  }

 private:
  using snapshot = detail::snapshot<L>;

  template <class F>
  static void expect(bool holds, invariant i, F&& f) {
    if (!holds) f(i);
  }
  /// Looks again; returns what was there before.
  snapshot turn(const L& l) {
    snapshot now{l};
    now.order_as(before_);
    std::swap(before_, now);
    return now;
  }
  static std::uint64_t lost_to_neighbours(const L& l) {
    if constexpr (requires { l.lost_to_neighbours(); }) {
      return l.lost_to_neighbours();
    } else {
      return 0;
    }
  }
  template <class F>
  void balance(const L& l, F&& f) {
    accounts_.balance(l, expected_, f);
    for_each_violation(l, f, expected_);
  }

  expectations expected_;
  snapshot before_;
  detail::accounts accounts_;
  bool keeps_ = false;      ///< the socket was shut down, not closed
  std::uint64_t lost_ = 0;  ///< requests that neighbours have evicted, so far
};

}  // namespace listenq::testing
