// SPDX-License-Identifier: BSL-1.0
// group: several listeners on one port (SO_REUSEPORT). A newcomer goes to the member that its four-tuple's hash names;
// whatever else belongs to a request goes to the listener that has it, also after the group has changed. When a member
// leaves, what waits at it ends as its policies say or, with migration (net.ipv4.tcp_migrate_req), goes to a sibling.
//
//   hash of the four-tuple:   0 ......... 1/3 ......... 2/3 ......... 1      reuseport_select_sock
//                             | member 0   | member 1    | member 2   |
//
// It owns no listener and allocates nothing beyond what the members' listen() takes: with migration each member has
// room for what waits at all of them. It is one thread's, like a listener; it neither balances load nor shares queues.
// Who wants a thread for each member needs no group: one listener a thread, a ring to each (transport/loopback.hpp),
// and whoever reads the wire sends a segment to the ring that a hash of its four-tuple names.
// Sources: net/core/sock_reuseport.c, inet_csk_listen_stop, reqsk_timer_handler, tcp_v4_rcv of 6.18.24; 6.18.44
// measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/detail/handover.hpp>
#include <listenq/grouping.hpp>
#include <listenq/listener.hpp>
#include <listenq/static_array.hpp>
#include <optional>

namespace listenq {

/// At most `Most` listeners of type `L`, closed ones that still have requests included.
template <class L, std::size_t Most = 16, found Found = found::everywhere, class Wake = wake_one>
class group {
 public:
  static_assert(Most > 0 && Most <= 0xffff, "listenq::group: a group has between 1 and 65535 places.");
  using segment_type = typename L::segment_type;
  using key_type = typename L::key_type;

  constexpr group() noexcept = default;
  group(const group&) = delete;
  group& operator=(const group&) = delete;
  constexpr ~group() = default;

  /// `l` listens, or listens again with another backlog, and is a member from now on, a new one the last in the order.
  /// It must stay where it is until `leave` and `detach`. Whatever the answer but `ok`, it is a member as before.
  constexpr join_status join(L& l, int backlog, instant now = 0) noexcept {
    const std::size_t at = place_of(l);
    if (at == npos && used() == Most) forget_idle();
    if (at == npos && used() == Most) return join_status::full;
    if (used() > 0 && inside(l).hash(key_type{}) != inside(*any()).hash(key_type{})) return join_status::other_key;
    if (at != npos && at >= open_ && migrates_ && open_ > 0) hand_over_requests(inside(l));
    const bool listened = l.listening();
    const std::uint32_t had_backlog = l.backlog();
    const std::uint32_t had_limit = l.request_limit();
    const listen_result r = l.listen(backlog, now);
    if (r.status == listen_status::no_share) return join_status::no_share;
    if (!r) return join_status::storage_too_small;
    if (at == npos) {
      members_[used()] = {&l, 0};
      ++closed_;
    }
    if (migrates_ && !reserve()) {
      inside(l).listening = listened;
      inside(l).backlog = had_backlog;
      inside(l).limit = had_limit;
      if (at == npos) --closed_;
      return join_status::storage_too_small;
    }
    if (at >= open_) {  // npos, too
      std::swap(members_[at == npos ? used() - 1 : at], members_[open_]);
      ++open_, --closed_;
    }
    scattered_ = true;
    stamp();
    return join_status::ok;
  }

  /// `l` closes; the last member takes its place in the order. With migration its waiting connections go to siblings at
  /// once, its requests when their timer or a segment comes; the summary counts those that did not go.
  template <class Sink>
  constexpr close_summary leave(L& l, Sink& out, instant now = 0) {
    const std::size_t at = place_of(l);
    if (at >= open_) return {};
    std::swap(members_[at], members_[open_ - 1]);
    --open_, ++closed_;
    scattered_ = true;
    if (migrates_) hand_over_waiting(inside(l), out);
    return l.close(out, now);
  }

  /// The group no longer knows a listener that has left, and what requests it still has are not found. True if it did.
  constexpr bool detach(L& l) noexcept {
    const std::size_t at = place_of(l);
    if (at == npos || at < open_) return false;
    members_[at] = members_[used() - 1];
    --closed_;
    return true;
  }

  /// net.ipv4.tcp_migrate_req: off unless set. False, and still off, if a member has no room for what waits at all.
  constexpr bool migrate(bool on) noexcept {
    migrates_ = on;
    return !on || (migrates_ = reserve());
  }

  /// So many callers block in accept() of `l` from now on; each connection takes one of them away.
  constexpr void waits(L& l, std::uint32_t callers) noexcept {
    if (const std::size_t at = place_of(l); at != npos) members_[at].waiters = callers;
  }

  /// One inbound segment, as a listener takes it. O(1) while no member has come or gone since there were no requests,
  /// else O(members).
  template <sink<typename L::addressing_type> Sink>
  constexpr outcome receive(const segment_type& s, instant now, Sink& out, const arrival& facts = {}) {
    if (used() == 0) {
      outcome o{verdict::not_listening};
      o.stages.add(detail::answer_reset(s, out));
      return o;
    }
    const key_type key = four_tuple_of(s);
    member* const home = chosen(key);
    member* const owner = owner_of(key, home);
    if (owner == nullptr) return deliver(home != nullptr ? *home : members_[0], s, now, out, facts);
    if (is_open(*owner) || home == nullptr) return deliver(*owner, s, now, out, facts);
    state_type& left = inside(*owner->listener);
    if (migrates_ && detail::move_request(left, inside(*home->listener), key)) {
      return deliver_migrated(*owner, *home, key, s, now, out, facts);
    }
    if (migrates_) ++counters_.migrate_req_failure;
    forget(left, key);
    return deliver(*home, s, now, out, facts);
  }

  /// An ICMP error, as a listener takes it.
  constexpr icmp_verdict unreachable(const key_type& key, seq_number seq, instant now,
                                     icmp_error error = icmp_error::host_unreachable) noexcept {
    if (used() == 0) return icmp_verdict::no_request;
    member* const owner = owner_of(key, chosen(key));
    return (owner != nullptr ? *owner : members_[0]).listener->unreachable(key, seq, now, error);
  }

  /// Lets time pass at all listeners; requests of those that have left go to a sibling first, if they may.
  template <sink<typename L::addressing_type> Sink>
  constexpr tick_summary tick(instant now, Sink& out) {
    tick_summary sum;
    for (std::size_t i = open_; i < used() && !sum.later; ++i) {
      if (migrates_ && open_ > 0) hand_over_due(inside(*members_[i].listener), now, out, sum);
      if (!sum.later) add(sum, members_[i].listener->tick(now, out));
    }
    for (std::size_t i = 0; i < open_ && !sum.later; ++i) add(sum, members_[i].listener->tick(now, out));
    return sum;
  }

  constexpr std::optional<instant> next_deadline() const noexcept {
    std::optional<instant> first;
    for (std::size_t i = 0; i < used(); ++i) {
      const auto d = members_[i].listener->next_deadline();
      if (d && (!first || *d < *first)) first = d;
    }
    return first;
  }

  // --- looking at it

  /// Members that listen, and listeners that have left and not been detached.
  constexpr std::size_t size() const noexcept { return open_; }
  constexpr std::size_t left() const noexcept { return closed_; }
  /// Q, Y and A of all of them together.
  constexpr std::uint32_t request_count() const noexcept { return sum_of<&L::request_count>(); }
  constexpr std::uint32_t young_count() const noexcept { return sum_of<&L::young_count>(); }
  constexpr std::uint32_t accept_count() const noexcept { return sum_of<&L::accept_count>(); }
  constexpr const group_counters& counters() const noexcept { return counters_; }
  /// The member that a newcomer with this four-tuple goes to; null if there is none.
  constexpr L* choose(const key_type& key) noexcept {
    member* const m = chosen(key);
    return m == nullptr ? nullptr : m->listener;
  }

 private:
  using state_type = detail::state<L>;
  struct member {
    L* listener = nullptr;
    std::uint32_t waiters = 0;
  };
  static constexpr std::size_t npos = ~std::size_t{0};

  static constexpr auto& inside(L& l) noexcept { return detail::inside::of(l); }
  constexpr std::size_t used() const noexcept { return open_ + closed_; }
  constexpr L* any() noexcept { return members_[0].listener; }
  constexpr bool is_open(const member& m) const noexcept { return &m < members_.data() + open_; }
  constexpr std::size_t place_of(const L& l) const noexcept {
    for (std::size_t i = 0; i < used(); ++i) {
      if (members_[i].listener == &l) return i;
    }
    return npos;
  }
  template <auto Count>
  constexpr std::uint32_t sum_of() const noexcept {
    std::uint32_t n = 0;
    for (std::size_t i = 0; i < used(); ++i) n += (members_[i].listener->*Count)();
    return n;
  }
  /// Of a member that is asked because those before it have not said `later`.
  static constexpr void add(tick_summary& sum, const tick_summary& t) noexcept {
    sum.timers += t.timers;
    sum.resent += t.resent;
    sum.forgotten += t.forgotten;
    sum.later = t.later;
  }
  constexpr void forget_idle() noexcept {
    for (std::size_t i = used(); i-- > open_;) {
      if (members_[i].listener->request_count() == 0) detach(*members_[i].listener);
    }
  }

  /// reciprocal_scale
  constexpr member* chosen(const key_type& key) noexcept {
    if (open_ == 0) return nullptr;
    const std::uint64_t h = detail::low(inside(*any()).hash(key));
    return &members_[static_cast<std::size_t>((h * open_) >> 32)];
  }
  constexpr member* owner_of(const key_type& key, member* home) noexcept {
    if (home != nullptr && home->listener->find_request(key) != nullptr) return home;
    if (Found == found::at_home) return nullptr;
    if (home != nullptr && !(scattered_ = scattered_ && request_count() > 0)) return nullptr;
    for (std::size_t i = 0; i < used(); ++i) {
      if (members_[i].listener->find_request(key) != nullptr) return &members_[i];
    }
    return nullptr;
  }
  /// One that `l` has.
  static constexpr void forget(state_type& l, const key_type& key) noexcept {
    const std::uint64_t h = l.hash(key);
    l.forget_request(l.requests.find(key, detail::low(h)), h, departure::closed);
  }

  constexpr void wake(member& m) noexcept {
    const std::uint32_t woken = Wake::woken(m.waiters);
    if (woken == 0) return;
    --m.waiters;
    counters_.wakeups += woken;
    counters_.wakeups_in_vain += woken - 1;
  }
  template <class Sink>
  constexpr outcome deliver(member& m, const segment_type& s, instant now, Sink& out, const arrival& facts) {
    const std::uint32_t waiting = m.listener->accept_count();
    const outcome o = m.listener->receive(s, now, out, facts);
    if (m.listener->accept_count() > waiting) wake(m);
    if (o.verdict == verdict::cookie_sent || o.stages.has(stage::cookie_in_iss)) stamp();
    return o;
  }
  /// A segment for a request whose listener has left: `home` judges it. What finishes has moved there; anything else
  /// that stays, stays where it was, until its timer.
  template <class Sink>
  constexpr outcome deliver_migrated(member& owner, member& home, const key_type& key, const segment_type& s,
                                     instant now, Sink& out, const arrival& facts) {
    const outcome o = deliver(home, s, now, out, facts);
    if (o.verdict == verdict::promoted) ++counters_.migrate_req_success;
    if (o.verdict == verdict::overflow_kept || o.verdict == verdict::overflow_reset ||
        o.verdict == verdict::overflow_forgotten) {
      ++counters_.migrate_req_failure;
    }
    detail::move_request(inside(*home.listener), inside(*owner.listener), key);
    return o;
  }
  template <class Sink>
  constexpr void hand_over_waiting(state_type& from, Sink& out) {
    for (std::uint32_t n = from.accepted.size(); n > 0; --n) {
      member* const to = chosen(detail::key_of_waiting(from, out));
      if (to != nullptr && detail::move_waiting(from, inside(*to->listener))) {
        ++counters_.migrate_req_success;
        if (Wake::migrated) wake(*to);
      } else {
        ++counters_.migrate_req_failure;
        detail::rotate_waiting(from);
      }
    }
  }
  /// Each goes to a sibling and times out there; if it does not survive that, it was a failure.
  template <class Sink>
  constexpr void hand_over_due(state_type& from, instant now, Sink& out, tick_summary& sum) {
    now = from.advance(now);
    for (auto i = first_due(from, now); i != from.npos && !sum.later; i = first_due(from, now)) {
      const key_type key = from.requests[i].key;
      state_type& to = inside(*chosen(key)->listener);
      if (!detail::move_request(from, to, key)) {
        ++counters_.migrate_req_failure;
        forget(from, key);
        ++sum.timers, ++sum.forgotten;
        continue;
      }
      to.advance(now);
      const auto there = to.requests.find(key, detail::low(to.hash(key)));
      detail::time_out(to, there, to.threshold(), out, sum);
      const bool lives = to.requests.find(key, detail::low(to.hash(key))) != to.npos;
      ++(lives ? counters_.migrate_req_success : counters_.migrate_req_failure);
    }
  }
  /// All of them, now: their listener is about to begin anew.
  constexpr void hand_over_requests(state_type& from) noexcept {
    for (auto i = from.requests.next_stored(); i != from.npos; i = from.requests.next_stored(i)) {
      const key_type key = from.requests[i].key;
      const bool moved = detail::move_request(from, inside(*chosen(key)->listener), key);
      ++(moved ? counters_.migrate_req_success : counters_.migrate_req_failure);
    }
  }
  static constexpr auto first_due(state_type& l, instant now) noexcept {
    if constexpr (detail::policies<L>::clockwork::sweeps) {
      auto i = l.requests.next_stored();
      while (i != l.npos && l.requests.deadline(i) > now) i = l.requests.next_stored(i);
      return i;
    } else {
      const auto i = l.requests.first_due();
      return i != l.npos && l.requests.deadline(i) <= now ? i : l.npos;
    }
  }

  /// Of one cookie all members know: the group has one stamp (tcp_synq_overflow), the machine one secret.
  constexpr void stamp() noexcept {
    if constexpr (detail::policies<L>::cookies::possible) {
      for (std::size_t i = 0; i < used(); ++i) window_.learn(inside(*members_[i].listener).cookies.get().window);
      for (std::size_t i = 0; i < used(); ++i) inside(*members_[i].listener).cookies.get().window.learn(window_);
    }
  }
  /// Every member has room for what may wait at all of them. Who has taken over more than its limit admits none, so
  /// that the sum of the larger of both never grows between two calls.
  constexpr bool reserve() noexcept {
    std::uint64_t requests = 0;
    std::uint64_t waiting = 0;
    for (std::size_t i = 0; i < used(); ++i) {
      const state_type& l = inside(*members_[i].listener);
      const std::uint32_t slots = detail::policies<L>::waiting::capacity(l.backlog);
      requests += std::uint64_t{l.limit > l.requests.size() ? l.limit : l.requests.size()} + detail::inside::spare<L>;
      waiting += slots > l.accepted.size() ? slots : l.accepted.size();
    }
    if (requests > 0x7fffffffU || waiting > 0x7fffffffU) return false;
    for (std::size_t i = 0; i < used(); ++i) {
      if (!detail::make_room_for(inside(*members_[i].listener), static_cast<std::uint32_t>(requests),
                                 static_cast<std::uint32_t>(waiting))) {
        return false;
      }
    }
    return true;
  }

  static_array<member, Most> members_{};  ///< those that listen, then those that have left
  std::size_t open_ = 0;
  std::size_t closed_ = 0;
  bool migrates_ = false;
  bool scattered_ = false;  ///< a request may be elsewhere than its hash says
  [[no_unique_address]] detail::window_of<typename detail::policies<L>::cookies> window_{};
  group_counters counters_{};
};

}  // namespace listenq
