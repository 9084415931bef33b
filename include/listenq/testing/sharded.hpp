// SPDX-License-Identifier: BSL-1.0
// sharded: several listeners on one port with their group, simulated (simulation.hpp) as if they were one, of which
// members leave and join again under traffic. What each of them is, is checked of each, and what no two of them may
// have together of all. It is for simulation alone: whoever serves peers owns the listeners and calls the group.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <listenq/group.hpp>
#include <listenq/outcome.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/segment.hpp>
#include <listenq/testing/invariants.hpp>
#include <listenq/time.hpp>
#include <listenq/transport/splitmix64.hpp>
#include <optional>
#include <span>
#include <vector>

namespace listenq::testing {

/// Whether the group migrates: never, always, or as `change` switches it.
enum class migration : std::uint8_t { off, on, switched };

/// `Members` listeners and a group, whose requests are found everywhere. A copy is one that has not listened yet.
template <class L, std::size_t Members = 4, class Group = group<L, Members>>
class sharded {
 public:
  using segment_type = typename L::segment_type;
  using key_type = typename L::key_type;
  using request_type = typename L::request_type;
  using handle_type = typename L::handle_type;
  using accepted_connection = typename L::accepted_connection;

  /// Every member begins as a copy of `one`, which does not listen.
  explicit sharded(migration m = migration::off, const L& one = L{}) : one_(one), members_(Members, one), how_(m) {
    migrate(m == migration::on);
  }
  sharded(const sharded& other) : sharded(other.how_, other.one_) {}
  sharded& operator=(const sharded&) = delete;
  ~sharded() = default;

  /// All members listen or, if the port is open, those that are there do with another backlog.
  listen_result listen(int backlog, instant now = 0) {
    listen_result r;
    for (L& m : members_) {
      if (open_ && !m.listening()) continue;
      const join_status s = group_.join(m, backlog, now);
      if (s != join_status::ok) r.status = listen_status::storage_too_small;
    }
    backlog_ = backlog;
    open_ = true;
    return r;
  }
  template <class Sink>
  outcome receive(const segment_type& s, instant now, Sink& out, const arrival& facts = {}) {
    return group_.receive(s, now, out, facts);
  }
  template <class Sink>
  tick_summary tick(instant now, Sink& out) {
    return group_.tick(now, out);
  }
  /// From the next member, in turn, at which somebody waits.
  accepted_connection accept(instant now = 0) {
    accepted_connection r;
    r.status = listening() ? accept_status::would_block : accept_status::not_listening;
    for (std::size_t i = 0; i < Members; ++i) {
      L& m = members_[turn_++ % Members];
      if (m.accept_count() > 0) return m.accept(now);
    }
    return r;
  }
  bool child_gone(const handle_type& handle) {
    return std::any_of(members_.begin(), members_.end(), [&handle](L& m) { return m.child_gone(handle); });
  }
  set_status set(tunable t, std::uint32_t value, instant now = 0) {
    set_status s = set_status::ok;
    for (L& m : members_) s = m.set(t, value, now);
    return s;
  }
  /// All members leave, and none joins before the next listen.
  template <class Sink>
  close_summary close(Sink& out, instant now = 0) {
    close_summary sum;
    for (L& m : members_) {
      const close_summary c = leave(m, out, now);
      sum.children += c.children;
      sum.requests += c.requests;
    }
    open_ = false;
    return sum;
  }

  /// While the port is open: a member leaves, one that has left joins again, or migration is switched. Says what was
  /// handed back, that is, reset.
  template <class Sink>
  close_summary change(splitmix64& random, instant now, Sink& out) {
    if (!open_) return {};
    if (how_ == migration::switched && random.chance(0.2)) {
      migrate(!migrates_);
      return {};
    }
    L& m = members_[random.up_to(Members - 1)];
    if (m.listening()) return leave(m, out, now);
    const std::uint32_t requests = request_count();
    const bool migrates = migrates_ && listening();
    group_.join(m, backlog_, now);
    loses_ = loses_ || (migrates && request_count() != requests);
    return {};
  }

  // --- looking at it

  bool listening() const noexcept { return group_.size() > 0; }
  /// Of those that listen, at least one, and all: there is no room anywhere.
  bool accept_full() const {
    return listening() &&
           std::all_of(members_.begin(), members_.end(), [](const L& m) { return !m.listening() || m.accept_full(); });
  }
  std::uint32_t request_count() const noexcept { return group_.request_count(); }
  std::uint32_t young_count() const noexcept { return group_.young_count(); }
  std::uint32_t accept_count() const noexcept { return group_.accept_count(); }
  std::uint32_t request_limit() const {
    std::uint32_t n = 0;
    for (const L& m : members_) n += m.listening() ? m.request_limit() : 0;
    return n;
  }
  std::optional<instant> next_deadline() const { return group_.next_deadline(); }
  const group_counters& counters() const noexcept { return group_.counters(); }
  auto find_request(const key_type& key) const {
    decltype(members_.front().find_request(key)) found = nullptr;
    for (const L& m : members_) {
      if (found == nullptr) found = m.find_request(key);
    }
    return found;
  }
  template <class F>
  void for_each_request(F&& f) const {
    for (const L& m : members_) m.for_each_request(f);
  }
  template <class F>
  void for_each_waiting(F&& f) const {
    for (const L& m : members_) m.for_each_waiting(f);
  }
  std::span<const L> members() const noexcept { return members_; }
  /// Has it ever migrated? Then a queue may be longer than its member's backlog allows.
  bool has_migrated() const noexcept { return has_migrated_; }
  /// Has a change made requests disappear that migration should have kept?
  bool loses_requests() const noexcept { return loses_; }

 private:
  void migrate(bool on) {
    migrates_ = group_.migrate(on);
    migrates_ = migrates_ && on;
    has_migrated_ = has_migrated_ || migrates_;
  }
  template <class Sink>
  close_summary leave(L& m, Sink& out, instant now) {
    const std::uint32_t requests = request_count();
    const close_summary c = group_.leave(m, out, now);
    loses_ = loses_ || request_count() + c.requests != requests;
    return c;
  }

  L one_;
  std::vector<L> members_;
  Group group_{};
  migration how_;
  int backlog_ = 0;
  std::size_t turn_ = 0;
  bool open_ = false;
  bool migrates_ = false;
  bool has_migrated_ = false;
  bool loses_ = false;
};

/// Of every member all that holds of a listener, its bounds unless something has migrated, and of all of them together
/// what can be seen of all: no four-tuple is at two of them, and the group counts and times what they have.
template <class L, std::size_t Members, class Group, class F>
void for_each_violation(const sharded<L, Members, Group>& s, F&& f, const expectations& e = {}) {
  constexpr std::uint64_t any = std::numeric_limits<std::uint64_t>::max();
  expectations boundless = e;
  boundless.most_requests = boundless.most_waiting = boundless.most_in_bucket = any;
  for (const L& m : s.members()) for_each_violation(m, f, s.has_migrated() ? boundless : e);
  for_each_violation<sharded<L, Members, Group>>(s, f, boundless);  // the other one, which takes it for a listener
  if (s.loses_requests()) f(invariant::requests_conserved);
}

}  // namespace listenq::testing
