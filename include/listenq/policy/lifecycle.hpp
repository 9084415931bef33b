// SPDX-License-Identifier: BSL-1.0
// lifecycle: the three small questions around a request's and a child's end: `closing` (what happens to requests when
// the listener closes), `send_failure` (what a SYN-ACK that cannot leave costs), `aborted_child` (what accept() does
// with a connection that was reset while it waited).
//
// When to use which: `forget_requests` is Linux to 4.3, NetBSD and OpenBSD, `leave_to_timer` Linux since,
// `outlive_listener` FreeBSD, `abort_requests` tells the peers; `fatal` is Linux to 4.3, `fatal_when_resent` Linux
// since, `fatal_at_first` the BSDs; `returned` is Linux, `reported` the BSDs.
#pragma once

#include <concepts>
#include <cstdint>

namespace listenq {

enum class closing_answer : std::uint8_t {
  forget,          ///< they end, nothing is sent
  leave_to_timer,  ///< each ends at its next timer or segment
  reset,           ///< they end, each peer gets a RST
  outlive,         ///< they live on as if nothing had happened, and whoever listens next may finish them
};

template <class P>
concept closing_policy = requires {
  { P::requests } -> std::convertible_to<closing_answer>;
};

struct forget_requests {
  static constexpr const char* name = "forget_requests";
  static constexpr closing_answer requests = closing_answer::forget;
};
struct leave_to_timer {
  static constexpr const char* name = "leave_to_timer";
  static constexpr closing_answer requests = closing_answer::leave_to_timer;
};
/// FreeBSD: the syncache knows no sockets. SYN-ACKs go out again at every timeout, a segment that meets no listener
/// gets a RST and changes nothing, and a listener that listens again finds the requests of the old one.
struct outlive_listener {
  static constexpr const char* name = "outlive_listener";
  static constexpr closing_answer requests = closing_answer::outlive;
};
struct abort_requests {
  static constexpr const char* name = "abort_requests";
  static constexpr closing_answer requests = closing_answer::reset;
};

/// A SYN-ACK that the sink called `failed`.
struct send_failure_facts {
  bool resent = false;  ///< not the first one of this request
  bool acked = false;   ///< its ACK has been seen already
};

/// `forgets(facts)`: does the failure end the request?
template <class P>
concept send_failure_policy = requires(const send_failure_facts& f) {
  { P::forgets(f) } -> std::same_as<bool>;
};

/// Ends it unless its ACK has been seen (Linux 2.6.32 and 3.12: not stored at the SYN, dropped at a timeout).
struct fatal {
  static constexpr const char* name = "fatal";
  static constexpr bool forgets(const send_failure_facts& f) noexcept { return !f.acked; }
};
/// Costs nothing at the SYN, ends it at a timeout unless its ACK has been seen (Linux 6.18, tcp_conn_request and
/// reqsk_timer_handler).
struct fatal_when_resent {
  static constexpr const char* name = "fatal_when_resent";
  static constexpr bool forgets(const send_failure_facts& f) noexcept { return f.resent && !f.acked; }
};
/// Ends it at the SYN, which then leaves nothing behind; costs nothing at a timeout (FreeBSD, syncache_add; NetBSD and
/// OpenBSD, syn_cache_add).
struct fatal_at_first {
  static constexpr const char* name = "fatal_at_first";
  static constexpr bool forgets(const send_failure_facts& f) noexcept { return !f.resent; }
};
/// Costs nothing: the next timeout tries again.
struct harmless {
  static constexpr const char* name = "harmless";
  static constexpr bool forgets(const send_failure_facts&) noexcept { return false; }
};

/// `reports`: does accept() answer `aborted` for a connection that was reset while it waited?
template <class P>
concept aborted_child_policy = requires {
  { P::reports } -> std::convertible_to<bool>;
};

/// accept() returns it like any other; the first read finds the error (Linux).
struct returned {
  static constexpr const char* name = "returned";
  static constexpr bool reports = false;
};
/// accept() takes it out and says `aborted` (FreeBSD, NetBSD, OpenBSD: ECONNABORTED).
struct reported {
  static constexpr const char* name = "reported";
  static constexpr bool reports = true;
};

using default_closing = leave_to_timer;
using default_send_failure = fatal_when_resent;
using default_aborted_child = returned;

namespace slot {
struct closing {
  static constexpr const char* name = "closing";
};
struct send_failure {
  static constexpr const char* name = "send_failure";
};
struct aborted_child {
  static constexpr const char* name = "aborted_child";
};
}  // namespace slot
/// Keyword: requests when the listener closes.
template <closing_policy P = default_closing>
struct closing {
  using slot = listenq::slot::closing;
  using policy = P;
};
/// Keyword: a SYN-ACK that cannot leave.
template <send_failure_policy P = default_send_failure>
struct send_failure {
  using slot = listenq::slot::send_failure;
  using policy = P;
};
/// Keyword: a connection that was reset while it waited.
template <aborted_child_policy P = default_aborted_child>
struct aborted_child {
  using slot = listenq::slot::aborted_child;
  using policy = P;
};

}  // namespace listenq
