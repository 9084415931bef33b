// SPDX-License-Identifier: BSL-1.0
// observer: who is told what happened. It is told after the fact and can change nothing.
//
// When to use which: `unobserved` costs nothing; `event_log` keeps the records in memory that the caller lends it;
// `by_cause` (by_cause.hpp) says how often each rule fired. An observer of your own implements the hooks it cares for,
// and no others.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/handshake.hpp>
#include <listenq/outcome.hpp>

namespace listenq {

/// Optional hooks, each found by its presence:
/// `on_segment(now, const basic_segment<A>&, const outcome&)`, `on_timer(now, const basic_four_tuple<A>&,
/// timer_outcome)`, `on_icmp(now, const basic_four_tuple<A>&, icmp_verdict)`, `on_accept(now, accept_status)`,
/// `on_listen(now, backlog)`, `on_left_over(now, requests)` (so many of the listener before ended at this listen()),
/// `on_close(now, const close_summary&)`.
template <class P>
concept observer_policy = std::default_initializable<P> && requires {
  P::name;
};

/// Nobody.
struct unobserved {
  static constexpr const char* name = "unobserved";
};

enum class event_kind : std::uint8_t { received, timed_out, accepted, listening, closed, icmp };

/// One line of an event log.
template <addressing A>
struct basic_event {
  instant at = 0;
  basic_four_tuple<A> key{};
  event_kind kind = event_kind::received;
  std::uint8_t verdict = 0;  ///< the value of the `verdict`, `timer_verdict`, `icmp_verdict` or `accept_status`
  listenq::stages stages{};
  flags segment_flags{};
  seq_number seq = 0;
  seq_number ack = 0;
};

/// Writes to `events[0 .. capacity)`; what does not fit is counted in `lost`.
template <addressing A = ipv4>
struct event_log {
  static constexpr const char* name = "event_log";
  basic_event<A>* events = nullptr;
  std::size_t capacity = 0;
  std::size_t size = 0;
  std::size_t lost = 0;

  constexpr void on_segment(instant now, const basic_segment<A>& s, const outcome& o) noexcept {
    write({now, four_tuple_of(s), event_kind::received, static_cast<std::uint8_t>(o.verdict), o.stages, s.flags, s.seq,
           s.ack});
  }
  constexpr void on_timer(instant now, const basic_four_tuple<A>& key, timer_outcome t) noexcept {
    write({now, key, event_kind::timed_out, static_cast<std::uint8_t>(t.verdict), {}, {}, 0, 0});
  }
  constexpr void on_icmp(instant now, const basic_four_tuple<A>& key, icmp_verdict v) noexcept {
    write({now, key, event_kind::icmp, static_cast<std::uint8_t>(v), {}, {}, 0, 0});
  }
  constexpr void on_accept(instant now, accept_status s) noexcept {
    write({now, {}, event_kind::accepted, static_cast<std::uint8_t>(s), {}, {}, 0, 0});
  }
  constexpr void on_listen(instant now, std::uint32_t backlog) noexcept {
    write({now, {}, event_kind::listening, 0, {}, {}, backlog, 0});
  }
  constexpr void on_close(instant now, const close_summary& c) noexcept {
    write({now, {}, event_kind::closed, 0, {}, {}, c.requests, c.children});
  }

 private:
  constexpr void write(const basic_event<A>& e) noexcept {
    if (size < capacity) {
      events[size++] = e;
    } else {
      ++lost;
    }
  }
};

using default_observer = unobserved;

namespace slot {
struct observer {
  static constexpr const char* name = "observer";
};
}  // namespace slot
/// Keyword: who is told.
template <observer_policy P = default_observer>
struct observer {
  using slot = listenq::slot::observer;
  using policy = P;
};

}  // namespace listenq
