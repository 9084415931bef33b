// SPDX-License-Identifier: BSL-1.0
// Outcomes: what became of every segment, timer, accept and close. Each inbound segment ends in exactly one verdict;
// counters and logs are pure functions of these records and know nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/segment.hpp>

namespace listenq {

/// What became of an inbound segment.
enum class verdict : std::uint8_t {
  // a SYN for which there was no request
  admitted,              ///< stored as a request, SYN-ACK sent
  cookie_sent,           ///< SYN-ACK sent, nothing stored
  fast_opened,           ///< fast open: a connection waits in the accept queue, SYN-ACK sent
  dropped_request_full,  ///< silently: the request queue is full
  dropped_accept_full,   ///< silently: the accept queue is full
  dropped_last_quarter,  ///< silently: the last quarter is kept for proven peers
  dropped_no_memory,     ///< silently: the storage is full (the kernel's failed allocation)
  dropped_over_budget,   ///< silently: this peer's share is used up
  dropped_by_gate,       ///< silently: a gate of the user's own
  dropped_refused,       ///< silently: the outer stack said no (firewall, security hook)
  dropped_send_failed,   ///< the SYN-ACK could not leave and the request was not kept for it
  reset_request_full,    ///< RST: the request queue is full
  reset_accept_full,     ///< RST: the accept queue is full
  // a segment for which there was a request
  duplicate_syn,         ///< the SYN again: SYN-ACK again, unless rate limited
  duplicate_unsent,      ///< the SYN again, the SYN-ACK could not leave and the request went with it
  wrong_ack,             ///< RST, the request stays: a wrong number, or flags that it has no use for
  wrong_ack_forgotten,   ///< RST, the request is gone
  wrong_ack_resent,      ///< SYN-ACK again, the request stays
  cookie_in_vain,        ///< a valid cookie, but its peer has sent another SYN: ignored, the request stays
  out_of_window,         ///< a bare ACK (unless it was a RST or rate limited), the request stays
  wrong_timestamp,       ///< an old timestamp, or none where there should be one: ignored, the request stays
  challenged,            ///< a RST not exactly right, or another SYN: challenge ACK, the request stays
  request_reset,         ///< a RST took the request away
  request_reset_by_syn,  ///< another SYN in the window took the request away and got a RST
  no_ack,                ///< nothing that a request waits for, as a FIN without ACK: ignored, the request stays
  deferred,              ///< a bare ACK while data are waited for: remembered, ignored
  promoted,              ///< the handshake is finished: a connection waits in the accept queue
  overflow_kept,         ///< final ACK, no room: ignored, the request waits on
  overflow_reset,        ///< final ACK, no room: RST, the request is gone
  overflow_forgotten,    ///< final ACK, no room: the request is gone, nothing is said
  // neither SYN nor request
  cookie_promoted,  ///< a valid cookie: a connection waits in the accept queue
  cookie_overflow,  ///< a valid cookie, no room: ignored (a RST, where it was in an ISS), nothing is kept
  stray,            ///< RST: nobody asked for it
  ignored,          ///< nothing to say: a RST, and as `validation` has it no flags, FIN, SYN with FIN
  // no listener
  not_listening,  ///< RST (unless it was a RST): the port is closed
};
inline constexpr std::size_t verdict_count = 35;

constexpr const char* name_of(verdict v) noexcept {
  constexpr const char* names[verdict_count] = {"admitted",
                                                "cookie_sent",
                                                "fast_opened",
                                                "dropped_request_full",
                                                "dropped_accept_full",
                                                "dropped_last_quarter",
                                                "dropped_no_memory",
                                                "dropped_over_budget",
                                                "dropped_by_gate",
                                                "dropped_refused",
                                                "dropped_send_failed",
                                                "reset_request_full",
                                                "reset_accept_full",
                                                "duplicate_syn",
                                                "duplicate_unsent",
                                                "wrong_ack",
                                                "wrong_ack_forgotten",
                                                "wrong_ack_resent",
                                                "cookie_in_vain",
                                                "out_of_window",
                                                "wrong_timestamp",
                                                "challenged",
                                                "request_reset",
                                                "request_reset_by_syn",
                                                "no_ack",
                                                "deferred",
                                                "promoted",
                                                "overflow_kept",
                                                "overflow_reset",
                                                "overflow_forgotten",
                                                "cookie_promoted",
                                                "cookie_overflow",
                                                "stray",
                                                "ignored",
                                                "not_listening"};
  return names[static_cast<std::size_t>(v)];
}

/// What else was found on the way to a verdict. Several can hold at once.
enum class stage : std::uint32_t {
  request_full = 1U << 0,     ///< the request queue was full
  cookie_wanted = 1U << 1,    ///< the SYN was to be answered by a cookie
  accept_full = 1U << 2,      ///< the accept queue was full
  rate_limited = 1U << 3,     ///< the answer was held back
  old_timestamp = 1U << 4,    ///< PAWS (RFC 7323 5)
  bad_echo = 1U << 5,         ///< the echoed timestamp was never sent by us
  cookie_checked = 1U << 6,   ///< an ACK was tried as a cookie
  cookie_valid = 1U << 7,     ///< and it was one
  child_refused = 1U << 8,    ///< the stack did not make a child
  evicted = 1U << 9,          ///< another request was evicted to make room
  answered = 1U << 10,        ///< a segment was handed to the sink
  answered_reset = 1U << 11,  ///< and it was a RST
  send_failed = 1U << 12,     ///< the sink did not take it
  bucket_full = 1U << 13,     ///< the bucket of the syncache was full, where `request_full` says so, too
  evicted_reset = 1U << 14,   ///< the peer whose request was evicted got a RST
  no_timestamp = 1U << 15,    ///< timestamps were agreed on, and this segment had none (RFC 7323 3.2)
  request_ended = 1U << 16,   ///< the request that a closed listener had left to its timer ended with the segment
  cookie_late = 1U << 17,     ///< an ACK was not tried as a cookie: none had been sent lately
  cookie_in_iss = 1U << 18,   ///< a request was stored, and its ISS is a cookie
  // fast open
  fast_open_tried = 1U << 20,   ///< 3.12: the SYN had the option, or needed none
  fast_open_asked = 1U << 21,   ///< the SYN asked for a cookie
  fast_open_full = 1U << 22,    ///< too many unfinished connections: an ordinary SYN
  fast_open_failed = 1U << 23,  ///< the cookie was wrong, or the connection could not be made
  fast_open_backup = 1U << 24,  ///< the cookie was made with the backup key
};

/// A set of stages.
struct stages {
  std::uint32_t bits = 0;
  constexpr void add(stage s) noexcept { bits |= static_cast<std::uint32_t>(s); }
  constexpr void add(stages s) noexcept { bits |= s.bits; }
  constexpr bool has(stage s) const noexcept { return (bits & static_cast<std::uint32_t>(s)) != 0; }
  friend constexpr bool operator==(stages, stages) = default;
};

/// The record of one inbound segment.
struct outcome {
  listenq::verdict verdict = listenq::verdict::ignored;
  listenq::flags flags{};  ///< of the segment
  listenq::stages stages{};
  friend constexpr bool operator==(const outcome&, const outcome&) = default;
};

/// What a due timer did with its request.
enum class timer_verdict : std::uint8_t {
  resent,       ///< SYN-ACK again
  waited,       ///< nothing sent: its ACK has come, data are waited for
  expired,      ///< forgotten, nothing sent
  send_failed,  ///< forgotten because the SYN-ACK could not leave
  orphaned,     ///< forgotten because its listener has closed
  paused,       ///< forgotten because cookies are all there is for now
};

constexpr const char* name_of(timer_verdict v) noexcept {
  constexpr const char* names[] = {"resent", "waited", "expired", "send_failed", "orphaned", "paused"};
  return names[static_cast<std::size_t>(v)];
}

/// The record of one due timer. A SYN-ACK that could not leave but cost nothing is `resent` with `sent` false.
struct timer_outcome {
  timer_verdict verdict = timer_verdict::resent;
  bool sent = false;
  bool pruned = false;  ///< expired because the queue was crowded: it had retries left
  friend constexpr bool operator==(const timer_outcome&, const timer_outcome&) = default;
};

/// What an ICMP error did.
enum class icmp_verdict : std::uint8_t {
  ended,         ///< the request is gone, nothing is sent
  noted,         ///< the request stays; the next error will find it marked
  ignored,       ///< the request stays
  wrong_number,  ///< it is about another segment than the request's SYN-ACK: forged, or late
  no_request,
};
inline constexpr std::size_t icmp_verdict_count = 5;

constexpr const char* name_of(icmp_verdict v) noexcept {
  constexpr const char* names[] = {"ended", "noted", "ignored", "wrong_number", "no_request"};
  return names[static_cast<std::size_t>(v)];
}

/// The sum of one call to `tick`.
struct tick_summary {
  std::uint32_t timers = 0;     ///< timers that were due
  std::uint32_t resent = 0;     ///< SYN-ACKs handed over
  std::uint32_t forgotten = 0;  ///< requests that ended
  bool later = false;           ///< the sink, or a bound, asked to come back: the rest is still due
};

/// What `listen` says.
enum class listen_status : std::uint8_t {
  ok,
  storage_too_small,
  no_share,  ///< the budget has no pool, or its pool no place for this listener
};
/// What a `listen` that worked has changed.
enum class listen_effect : std::uint8_t {
  none,             ///< nothing: it did not work, or the backlog is what it was
  started,          ///< it listens now, and did not before
  backlog_changed,  ///< it listened already; what waits goes on waiting
};
struct listen_result {
  listen_status status = listen_status::ok;
  std::uint64_t needed = 0;  ///< entries that the backlog asks for, of the queue that does not fit
  std::uint64_t have = 0;    ///< entries of it that the storage can hold
  listen_effect effect = listen_effect::none;
  constexpr explicit operator bool() const noexcept { return status == listen_status::ok; }
};

/// What `accept` says.
enum class accept_status : std::uint8_t {
  ok,
  would_block,    ///< nothing waits (EAGAIN)
  aborted,        ///< this one was reset while it waited (ECONNABORTED); it is gone now
  not_listening,  ///< EINVAL
};

/// What `close` did.
struct close_summary {
  std::uint32_t children = 0;  ///< waiting connections handed back to be reset
  std::uint32_t requests = 0;  ///< requests that ended now
};

/// Which directions `shutdown` ends.
enum class shutdown_how : std::uint8_t { read, write, both };

/// What `shutdown` says.
enum class shutdown_status : std::uint8_t {
  ok,             ///< it no longer listens
  no_effect,      ///< a listener never writes: it goes on listening
  not_listening,  ///< ENOTCONN
};
struct shutdown_result {
  shutdown_status status = shutdown_status::not_listening;
  close_summary closed{};
};

/// What `set` says.
enum class set_status : std::uint8_t {
  ok,
  not_tunable,   ///< no policy of this listener reads it
  out_of_range,  ///< larger than the tunable allows; nothing changed
};

}  // namespace listenq
