// SPDX-License-Identifier: BSL-1.0
// by_cause: an observer that counts how often each rule fired, and balances the books: what came in = what went out +
// what is there. With counters of a kernel as its argument it also says which rule moved which of them: 3.12's
// ListenDrops, split into its causes.
//
//   with<preset::linux_3_12, observer<by_cause<linux_counters<linux_era::v3_12>>>> server;
//   ...
//   std::puts(to_text(server.observer(), server).c_str());      // describe.hpp
//
// In a group whose connections and requests migrate, the books add up over all members, not for each.
// It costs 8 bytes and the counters for each of some 60 causes, and a short search at each segment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/cause.hpp>
#include <listenq/outcome.hpp>
#include <listenq/policy/budget.hpp>
#include <listenq/policy/counters.hpp>
#include <listenq/segment.hpp>
#include <listenq/static_array.hpp>

namespace listenq {

/// The requests of a listener, by what became of them. `stored` less all departures is how many there are, plus those
/// that neighbours with whom it shares its queue evicted.
struct request_books {
  std::uint64_t stored = 0;
  static_array<std::uint64_t, 7> left{};  ///< by `departure`; what was evicted for this listener's sake, of whomever
  constexpr std::uint64_t by(departure d) const noexcept { return left[static_cast<std::size_t>(d)]; }
  constexpr std::uint64_t there() const noexcept {
    std::uint64_t n = stored;
    for (const std::uint64_t gone : left) n -= gone;
    return n;
  }
};

/// The connections of a listener, by what became of them. `there()` wait.
struct connection_books {
  std::uint64_t promoted = 0;   ///< out of a request
  std::uint64_t by_cookie = 0;  ///< out of nothing
  std::uint64_t by_syn = 0;     ///< opened at once
  std::uint64_t accepted = 0;
  std::uint64_t aborted = 0;  ///< taken out by an accept() that said so
  std::uint64_t killed = 0;   ///< handed back at close
  constexpr std::uint64_t there() const noexcept { return promoted + by_cookie + by_syn - accepted - aborted - killed; }
};

/// Counts causes. `Counters`: which kernel's counters to split by cause, too; `no_counters` for none.
template <class Counters = no_counters>
struct by_cause {
  static constexpr const char* name = "by_cause";
  struct row {
    std::uint64_t times = 0;
    [[no_unique_address]] Counters counters{};
  };
  static_array<row, cause_count> rows{};  ///< as `causes` has them
  request_books requests{};
  connection_books connections{};
  std::uint64_t segments = 0;
  std::uint64_t timers = 0;

  template <addressing A>
  constexpr void on_segment(instant, const basic_segment<A>&, const outcome& o) noexcept {
    ++segments;
    row& r = rows[cause_index(o)];
    ++r.times;
    r.counters.count(o);
    if (o.verdict == verdict::admitted) ++requests.stored;
    if (o.stages.has(stage::evicted)) leave(departure::evicted);
    leave_by(o);
    if (o.verdict == verdict::promoted) ++connections.promoted;
    if (o.verdict == verdict::cookie_promoted) ++connections.by_cookie;
    if (o.verdict == verdict::fast_opened) ++connections.by_syn;
  }
  template <addressing A>
  constexpr void on_timer(instant, const basic_four_tuple<A>&, timer_outcome t) noexcept {
    ++timers;
    row& r = rows[cause_index(t)];
    ++r.times;
    r.counters.count(t);
    leave_by(t);
  }
  template <addressing A>
  constexpr void on_icmp(instant, const basic_four_tuple<A>&, icmp_verdict v) noexcept {
    row& r = rows[cause_index(v)];
    ++r.times;
    r.counters.count(v);
    if (v == icmp_verdict::ended) leave(departure::reset);
  }
  constexpr void on_accept(instant, accept_status s) noexcept {
    if (s == accept_status::ok) ++connections.accepted;
    if (s == accept_status::aborted) ++connections.aborted;
  }
  constexpr void on_left_over(instant, std::uint32_t n) noexcept { leave(departure::closed, n); }
  constexpr void on_close(instant, const close_summary& c) noexcept {
    connections.killed += c.children;
    leave(departure::closed, c.requests);
  }

  /// How often a cause was the one.
  constexpr std::uint64_t times(const outcome& o) const noexcept { return rows[cause_index(o)].times; }
  constexpr std::uint64_t times(const timer_outcome& t) const noexcept { return rows[cause_index(t)].times; }
  /// How often a verdict was given, whatever the cause.
  constexpr std::uint64_t times(verdict v) const noexcept {
    return sum(record_kind::of_segment, static_cast<unsigned>(v));
  }
  constexpr std::uint64_t times(timer_verdict v) const noexcept {
    return sum(record_kind::of_timer, static_cast<unsigned>(v));
  }
  constexpr std::uint64_t times(icmp_verdict v) const noexcept {
    return sum(record_kind::of_icmp, static_cast<unsigned>(v));
  }

 private:
  constexpr void leave(departure d, std::uint64_t n = 1) noexcept { requests.left[static_cast<std::size_t>(d)] += n; }
  /// How a segment ends the request that it belongs to, if it does.
  constexpr void leave_by(const outcome& o) noexcept {
    switch (o.verdict) {
      case verdict::promoted:
        return leave(departure::promoted);
      case verdict::request_reset:
      case verdict::request_reset_by_syn:
      case verdict::wrong_ack_forgotten:
        return leave(departure::reset);
      case verdict::duplicate_unsent:
        return leave(departure::send_failed);
      case verdict::overflow_reset:
      case verdict::overflow_forgotten:
        return leave(departure::overflow);
      default:
        if (o.stages.has(stage::request_ended)) leave(departure::closed);
    }
  }
  /// How a timer ends its request, if it does.
  constexpr void leave_by(const timer_outcome& t) noexcept {
    switch (t.verdict) {
      case timer_verdict::expired:
      case timer_verdict::paused:
        return leave(departure::expired);
      case timer_verdict::send_failed:
        return leave(departure::send_failed);
      case timer_verdict::orphaned:
        return leave(departure::closed);
      default:
        break;
    }
  }
  constexpr std::uint64_t sum(record_kind what, unsigned v) const noexcept {
    std::uint64_t n = 0;
    for (std::size_t i = 0; i < cause_count; ++i) {
      if (causes[i].what == what && causes[i].verdict == v) n += rows[i].times;
    }
    return n;
  }
};

}  // namespace listenq
