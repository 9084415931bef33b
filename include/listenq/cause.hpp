// SPDX-License-Identifier: BSL-1.0
// Causes: why a segment, a timer or an ICMP error ended as it did. A verdict says what happened; where one verdict has
// several causes, the stages tell them apart. Each record has exactly one cause, and the cause names the slot whose
// policy decided: what a kernel's counters do not tell (ListenDrops has ten causes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/outcome.hpp>

namespace listenq {

/// What a cause is a cause of.
enum class record_kind : std::uint8_t { of_segment, of_timer, of_icmp };

/// One row of the table of causes.
struct cause {
  record_kind what = record_kind::of_segment;
  std::uint8_t verdict = 0;  ///< the value of the `verdict`, `timer_verdict` or `icmp_verdict`
  stages met{};              ///< all of these; none: what no row above it takes
  const char* slot = "";     ///< the keyword whose policy decided; empty: no policy did
  const char* why = "";
};

namespace detail {

/// Of a timer: the SYN-ACK could not leave; the request had retries left.
inline constexpr std::uint32_t timer_unsent = 1;
inline constexpr std::uint32_t timer_pruned = 2;

constexpr cause at(verdict v, const char* slot, const char* why) noexcept {
  return {record_kind::of_segment, static_cast<std::uint8_t>(v), {}, slot, why};
}
constexpr cause at(verdict v, stage met, const char* slot, const char* why) noexcept {
  return {record_kind::of_segment, static_cast<std::uint8_t>(v), {static_cast<std::uint32_t>(met)}, slot, why};
}
constexpr cause at(timer_verdict v, std::uint32_t met, const char* slot, const char* why) noexcept {
  return {record_kind::of_timer, static_cast<std::uint8_t>(v), {met}, slot, why};
}
constexpr cause at(icmp_verdict v, const char* slot, const char* why) noexcept {
  return {record_kind::of_icmp, static_cast<std::uint8_t>(v), {}, slot, why};
}

}  // namespace detail

/// Every cause, grouped by verdict. The first row of a verdict whose stages were met is the cause.
inline constexpr cause causes[] = {
    detail::at(verdict::admitted, stage::send_failed, "send_failure", "stored, though its SYN-ACK could not leave"),
    detail::at(verdict::admitted, stage::evicted, "request_full", "stored in another request's place"),
    detail::at(verdict::admitted, stage::accept_full, "accept_full_at_syn", "stored although the accept queue is full"),
    detail::at(verdict::admitted, "admission", "stored"),
    detail::at(verdict::cookie_sent, stage::send_failed, "cookies", "a cookie that could not leave"),
    detail::at(verdict::cookie_sent, stage::bucket_full, "cookies", "its bucket is full: a cookie"),
    detail::at(verdict::cookie_sent, stage::request_full, "cookies", "the request queue is full: a cookie"),
    detail::at(verdict::cookie_sent, "cookies", "a cookie, as always"),
    detail::at(verdict::fast_opened, stage::fast_open_backup, "fast_open", "connected by its SYN, with the old key"),
    detail::at(verdict::fast_opened, "fast_open", "connected by its SYN"),
    detail::at(verdict::dropped_request_full, stage::evicted, "request_full",
               "both queues are full: dropped, and another request with it"),
    detail::at(verdict::dropped_request_full, stage::bucket_full, "request_full", "its bucket is full"),
    detail::at(verdict::dropped_request_full, "request_full", "the request queue is full"),
    detail::at(verdict::dropped_accept_full, stage::fast_open_failed, "fast_open",
               "would be connected by its SYN, but the accept queue is full"),
    detail::at(verdict::dropped_accept_full, stage::cookie_wanted, "accept_full_at_syn",
               "a cookie was due, but the accept queue is full"),
    detail::at(verdict::dropped_accept_full, "accept_full_at_syn", "the accept queue is full"),
    detail::at(verdict::dropped_last_quarter, "admission", "the last quarter is kept for proven peers"),
    detail::at(verdict::dropped_no_memory, "storage", "the storage is full"),
    detail::at(verdict::dropped_over_budget, "budget", "its share is used up"),
    detail::at(verdict::dropped_by_gate, "admission", "a gate of the user's own"),
    detail::at(verdict::dropped_refused, stage::fast_open_failed, "fast_open",
               "would be connected by its SYN, but the stack made no child"),
    detail::at(verdict::dropped_refused, "", "the outer stack said no"),
    detail::at(verdict::dropped_send_failed, "send_failure", "the SYN-ACK could not leave"),
    detail::at(verdict::reset_request_full, "request_full", "the request queue is full: RST"),
    detail::at(verdict::reset_accept_full, "accept_full_at_syn", "the accept queue is full: RST"),
    detail::at(verdict::duplicate_syn, stage::rate_limited, "validation", "the SYN again, answered lately"),
    detail::at(verdict::duplicate_syn, stage::send_failed, "validation", "the SYN again; the SYN-ACK could not leave"),
    detail::at(verdict::duplicate_syn, "validation", "the SYN again"),
    detail::at(verdict::duplicate_unsent, "validation", "the SYN again; the SYN-ACK could not leave: forgotten"),
    detail::at(verdict::wrong_ack, "validation", "acknowledges what was never sent: RST"),
    detail::at(verdict::wrong_ack_forgotten, "validation", "acknowledges what was never sent: RST, forgotten"),
    detail::at(verdict::wrong_ack_resent, "validation", "acknowledges what was never sent: the SYN-ACK again"),
    detail::at(verdict::cookie_in_vain, "cookies", "the cookie of an earlier SYN, and a later one's request waits"),
    detail::at(verdict::out_of_window, stage::old_timestamp, "validation", "a timestamp of the past (PAWS)"),
    detail::at(verdict::out_of_window, stage::bad_echo, "validation", "echoes a timestamp that was never sent"),
    detail::at(verdict::out_of_window, stage::rate_limited, "validation", "outside the window, answered lately"),
    detail::at(verdict::out_of_window, "validation", "outside the window"),
    detail::at(verdict::wrong_timestamp, stage::no_timestamp, "validation", "the timestamp is missing: ignored"),
    detail::at(verdict::wrong_timestamp, "validation", "a timestamp of the past: ignored"),
    detail::at(verdict::challenged, stage::rate_limited, "validation",
               "a RST or SYN that may be forged, answered lately"),
    detail::at(verdict::challenged, "validation", "a RST or SYN that may be forged"),
    detail::at(verdict::request_reset, "validation", "a RST took the request away"),
    detail::at(verdict::request_reset_by_syn, "validation", "another SYN took the request away"),
    detail::at(verdict::no_ack, "validation", "nothing that a request waits for"),
    detail::at(verdict::deferred, "deferral", "data are waited for"),
    detail::at(verdict::promoted, "waiting", "connected"),
    detail::at(verdict::overflow_kept, stage::child_refused, "accept_full_at_ack", "the stack made no child: kept"),
    detail::at(verdict::overflow_kept, "accept_full_at_ack", "the accept queue is full: kept"),
    detail::at(verdict::overflow_reset, stage::child_refused, "accept_full_at_ack", "the stack made no child: RST"),
    detail::at(verdict::overflow_reset, "accept_full_at_ack", "the accept queue is full: RST"),
    detail::at(verdict::overflow_forgotten, stage::child_refused, "accept_full_at_ack",
               "the stack made no child: forgotten"),
    detail::at(verdict::overflow_forgotten, "accept_full_at_ack", "the accept queue is full: forgotten"),
    detail::at(verdict::cookie_promoted, "cookies", "connected by a cookie"),
    detail::at(verdict::cookie_overflow, stage::child_refused, "cookies", "a cookie, but the stack made no child"),
    detail::at(verdict::cookie_overflow, "cookies", "a cookie, but the accept queue is full"),
    detail::at(verdict::stray, stage::cookie_valid, "cookies", "a cookie whose options are not on offer"),
    detail::at(verdict::stray, stage::cookie_checked, "cookies", "an ACK that is no cookie"),
    detail::at(verdict::stray, stage::cookie_late, "cookies", "an ACK, and no cookie was sent lately"),
    detail::at(verdict::stray, "", "an ACK that nobody waits for"),
    detail::at(verdict::ignored, "", "nothing to say"),
    detail::at(verdict::not_listening, stage::request_ended, "closing", "the port is closed: its request ends"),
    detail::at(verdict::not_listening, "", "the port is closed"),
    detail::at(timer_verdict::resent, detail::timer_unsent, "send_failure", "the SYN-ACK could not leave: kept"),
    detail::at(timer_verdict::resent, 0, "schedule", "the SYN-ACK again"),
    detail::at(timer_verdict::waited, 0, "deferral", "its ACK is here, its data are not"),
    detail::at(timer_verdict::expired, detail::timer_pruned, "pressure", "old in a crowded queue"),
    detail::at(timer_verdict::expired, 0, "schedule", "no answer to the last SYN-ACK"),
    detail::at(timer_verdict::send_failed, 0, "send_failure", "the SYN-ACK could not leave: forgotten"),
    detail::at(timer_verdict::orphaned, 0, "closing", "its listener has closed"),
    detail::at(timer_verdict::paused, 0, "cookies", "cookies are all there is for now"),
    detail::at(icmp_verdict::ended, "icmp", "an ICMP error about its SYN-ACK"),
    detail::at(icmp_verdict::noted, "icmp", "an ICMP error: the next one may end the request"),
    detail::at(icmp_verdict::ignored, "icmp", "an ICMP error of a harmless kind"),
    detail::at(icmp_verdict::wrong_number, "", "an ICMP error about another segment"),
    detail::at(icmp_verdict::no_request, "", "an ICMP error about nobody"),
};
inline constexpr std::size_t cause_count = sizeof(causes) / sizeof(causes[0]);

namespace detail {

/// The first row that takes this record; the number of rows if none does.
constexpr std::size_t find_cause(record_kind what, unsigned v, std::uint32_t met) noexcept {
  for (std::size_t i = 0; i < cause_count; ++i) {
    const cause& c = causes[i];
    if (c.what == what && c.verdict == v && (c.met.bits & met) == c.met.bits) return i;
  }
  return cause_count;
}

/// Where the rows of each verdict begin; `cause_count` if none of them asks for no stage. One pass and plain arrays,
/// because every translation unit pays for it.
struct cause_places {
  std::uint8_t of[verdict_count]{};
  constexpr std::uint8_t operator[](std::size_t v) const noexcept { return of[v]; }
};
inline constexpr cause_places first_causes = [] {
  cause_places first;
  bool ends[verdict_count]{};
  for (std::uint8_t& f : first.of) f = cause_count;
  for (std::uint8_t i = 0; i < cause_count; ++i) {
    const cause& c = causes[i];
    if (c.what != record_kind::of_segment) continue;
    if (first.of[c.verdict] == cause_count) first.of[c.verdict] = i;
    if (c.met.bits == 0) ends[c.verdict] = true;
  }
  for (std::size_t v = 0; v < verdict_count; ++v) {
    if (!ends[v]) first.of[v] = cause_count;
  }
  return first;
}();

inline constexpr bool every_verdict_has_a_cause = [] {
  for (const std::uint8_t f : first_causes.of) {
    if (f == cause_count) return false;
  }
  return true;
}();
static_assert(every_verdict_has_a_cause, "listenq: each verdict needs a row of `causes` that asks for no stage.");

}  // namespace detail

/// The place in `causes` of a record's one cause.
constexpr std::size_t cause_index(const outcome& o) noexcept {
  std::size_t i = detail::first_causes[static_cast<std::size_t>(o.verdict)];
  while ((causes[i].met.bits & o.stages.bits) != causes[i].met.bits) ++i;
  return i;
}
constexpr std::size_t cause_index(const timer_outcome& t) noexcept {
  const std::uint32_t met = (t.sent ? 0 : detail::timer_unsent) | (t.pruned ? detail::timer_pruned : 0);
  return detail::find_cause(record_kind::of_timer, static_cast<unsigned>(t.verdict), met);
}
constexpr std::size_t cause_index(icmp_verdict v) noexcept {
  return detail::find_cause(record_kind::of_icmp, static_cast<unsigned>(v), 0);
}

/// The name of the verdict: "dropped_accept_full", "expired", "wrong_number".
constexpr const char* name_of(const cause& c) noexcept {
  switch (c.what) {
    case record_kind::of_segment:
      return name_of(static_cast<verdict>(c.verdict));
    case record_kind::of_timer:
      return name_of(static_cast<timer_verdict>(c.verdict));
    default:
      return name_of(static_cast<icmp_verdict>(c.verdict));
  }
}

}  // namespace listenq
