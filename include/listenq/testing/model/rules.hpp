// SPDX-License-Identifier: BSL-1.0
// Rules: everything that a composition promises, as numbers, names and functions of plain numbers, to be read (and
// filled in, or changed) by people. `rules_of<L>()` writes them down for a composition of this library's policies;
// whoever has a policy of his own says which of these it is supposed to obey.
//
// They are stated from the kernels' sources and the RFCs, not from the policies: where both say the same in two ways,
// a mistake in either shows. They decide nothing by themselves; model.hpp applies them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <listenq/outcome.hpp>
#include <listenq/policy/cookie/codec.hpp>
#include <listenq/policy/icmp.hpp>
#include <listenq/policy/lifecycle.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/policy/validation.hpp>
#include <listenq/segment.hpp>
#include <listenq/testing/model/judge.hpp>
#include <listenq/time.hpp>
#include <optional>
#include <string>
#include <vector>

namespace listenq::testing {

// --- a SYN
// ------------------------------------------------------------------------------------------------------------

/// What a SYN meets on its way, in the order of the row.
enum class gate_step : std::uint8_t { known, request, accept, refusal, last_quarter, budget, own };

/// The lengths that a rule may look at.
struct lengths {
  std::uint64_t accepted = 0;  ///< A
  std::uint64_t requests = 0;  ///< Q
  std::uint64_t young = 0;     ///< Y
  std::uint64_t backlog = 0;   ///< N
  std::uint64_t limit = 0;     ///< how many requests fit
};

struct gate_rule {
  gate_step what = gate_step::known;
  bool strict = false;  ///< `request`: a TIME-WAIT opens nothing
  /// `accept`: full by this test instead of `rules::accept_full`; `own`: closed
  std::function<bool(const lengths&)> closed{};
  bool resets = false;  ///< `own`: says RST
};
using gate_rules = std::vector<gate_rule>;

/// Who meets a full queue at the SYN.
enum class syn_rule : std::uint8_t {
  admit,
  drop,
  reset,
  evict_oldest,           ///< the request that was stored first goes
  evict_any,              ///< any request may go
  evict_any_or_none,      ///< any, or the SYN is dropped
  evict_most_retried,     ///< the one with the most timeouts, of several the first due
  drop_and_evict,         ///< the same goes, and the SYN is dropped all the same
  evict_in_bucket,        ///< the oldest of the newcomer's bucket
  evict_from_here_on,     ///< the same or, if that is empty, of the next bucket that is not
  drop_above_young,       ///< drop while more than `most_young` are young, else admit
  drop_above_share,       ///< drop while more than `most_young` / `of` of the slots of the smaller queue are young
  drop_unless_both_full,  ///< drop; where the accept queue is full too, drop_and_evict (Onload)
  oldest_or_any,          ///< the oldest; if refused SYNs outrun the queue, any or none (XNU)
};
struct syn_answer_rule {
  syn_rule what = syn_rule::drop;
  std::uint64_t most_young = 1;
  std::uint64_t of = 1;
  bool tells = false;           ///< the evicted peer gets a RST
  bool tells_if_acked = false;  ///< if its ACK has been seen
};

// --- cookies
// ----------------------------------------------------------------------------------------------------------

enum class cookie_when : std::uint8_t {
  never,
  under_pressure,
  always,
  tuned,           ///< tunable syncookies: 0 never, 1 under pressure, 2 always
  tuned_on_off,    ///< 0 never, else under pressure
  in_iss,          ///< in the ISS of every request
  in_iss_if_tuned  ///< 0 never, 1 in the ISS, 2 instead of every request
};

/// When an ACK without a request is tried as a cookie at all.
enum class cookie_window_kind : std::uint8_t { after_cookie, after_bucket_overflow, while_request_full, any_time };

/// A cookie that was sent.
struct sent_cookie {
  seq_number value = 0;
  seq_number irs = 0;
  instant at = 0;
  cookie_options kept{};  ///< what of the SYN it was made for
};

struct cookie_rules {
  cookie_when when = cookie_when::never;
  cookie_window_kind window = cookie_window_kind::any_time;
  duration window_length = 0;
  duration window_step = 0;  ///< the stamp is renewed only when it is older
  cookie_capacity carries{};
  /// What an ACK that brings back `value` for an ISN `irs` shows, if `sent` was sent; nothing if it is no good.
  std::function<std::optional<cookie_options>(const sent_cookie& sent, seq_number value, seq_number irs, instant now)>
      read{};
  /// Does the key of then verify now?
  std::function<bool(instant at, instant now)> key_lives = [](instant, instant) { return true; };
  /// The timestamp that stands for `clock` and these options.
  std::function<std::uint32_t(std::uint32_t clock, const cookie_options&)> stamp =
      [](std::uint32_t clock, const cookie_options&) { return clock; };
  /// Adds what an echoed timestamp shows; false if it shows what was never offered.
  std::function<bool(std::uint32_t echo, const cookie_options& offered, cookie_options&)> unstamp =
      [](std::uint32_t, const cookie_options&, cookie_options&) { return true; };
  duration first_pause = 0;  ///< FreeBSD: after a bucket overflow nothing is stored for so long; 0: never
  unsigned doublings = 0;
};

// --- the rest
// -----------------------------------------------------------------------------------------------------------

/// When a crowded queue shortens lives.
enum class crowding : std::uint8_t { none, half_table, half_backlog };

/// What a final ACK gets that finds no room.
enum class ack_rule : std::uint8_t { keep, reset, forget, as_tuned };

enum class counting : std::uint8_t {
  nothing,
  linux_2_6_32,
  linux_3_12,
  linux_4_4,
  linux_6_18,
  freebsd,
  netbsd,
  openbsd,
  xnu
};

enum class deferral_rule : std::uint8_t { none, defer_accept, await_data };

struct offer_rules {
  std::uint16_t mss = 1460;
  std::uint16_t window = 64240;
  std::uint16_t window_with_timestamps = 65160;
  std::uint8_t window_scale = 10;
  std::uint16_t least_mss = 48;
  bool sack = true;
  bool ecn = true;
  bool keyed_clock = true;  ///< each peer sees a clock with an offset of its own
};

/// A prefix of the peer's address may have so many requests, of `limit` that fit.
struct budget_rule {
  unsigned v4_bits = 24;
  std::function<std::uint64_t(std::uint64_t limit)> share{};
};

inline constexpr std::uint64_t unbounded = std::numeric_limits<std::uint64_t>::max();

/// What a composition promises. Defaults are those of the slots.
struct rules {
  std::string name;
  bool ipv6 = false;  ///< its peers are, and not in mapped form

  // listen
  std::function<std::uint64_t(std::int64_t requested, std::uint64_t somaxconn)> clamp{};
  std::function<std::uint64_t(std::uint64_t n, std::uint64_t max_syn_backlog)> room{};  ///< how many requests fit
  bool sized_once = false;                                                              ///< the first listen() decides
  bool on_the_heap = true;                  ///< false: a listen() may find too little room
  std::uint64_t most_requests = unbounded;  ///< cells of the storage, where that is known
  std::uint64_t most_connections = unbounded;
  std::array<std::uint32_t, tunable_count> tunables{4096, 1024, 1, 0, 5, 0, 1, 0};
  tunable_set tunable_members{};  ///< the others cannot be set

  // who is full
  std::function<bool(const lengths&)> accept_full{};
  std::function<std::uint64_t(std::uint64_t n)> accept_slots{};  ///< the most that can ever wait
  std::uint32_t buckets = 0;                                     ///< of a syncache, in a set; 0: none
  std::uint32_t depth = 0;                                       ///< requests in a bucket
  std::uint32_t most_in_set = 0;
  std::uint32_t sets = 1;
  std::uint32_t uses = 0;  ///< newcomers that a set takes before the other one's turn

  // ageing
  std::function<duration(unsigned timeouts)> wait{};
  std::optional<std::uint32_t> retries{};  ///< nothing: tunable synack_retries
  unsigned lines = 1;                      ///< from `lines - 1` timeouts on all waits are alike
  crowding crowd = crowding::none;
  duration sweep = 0;         ///< a hand runs so often; 0: each request has a timer
  duration tick = 1;          ///< deadlines are multiples of it, the next one each
  bool keeps_answers = true;  ///< a request knows how often it was answered, and with which timestamps
  bool newest_first = false;

  // a SYN
  gate_rules gates{};
  syn_answer_rule request_full{};
  syn_answer_rule accept_full_at_syn{};
  cookie_rules cookies{};
  std::optional<seq_number> fixed_isn{};  ///< nothing: RFC 6528
  offer_rules offer{};
  std::vector<budget_rule> budgets{};
  std::function<bool(bool resent, bool acked)> failure_ends = [](bool, bool) { return false; };

  // other segments
  judgement judge{};  ///< how a segment at a request is judged
  std::function<listener_answer(flags)> at_listener{};
  duplicate_rules duplicate{};
  duration rate_limit = 0;
  bool late_timestamps = false;
  bool checks_echo = false;
  bool echoes_zero = true;
  bool tries_cookie = false;  ///< a wrong ACK at a request may be a cookie
  deferral_rule deferral = deferral_rule::none;
  duration defer_unit = 1 * second;
  ack_rule accept_full_at_ack = ack_rule::keep;

  // the ends
  closing_answer closing = closing_answer::forget;
  bool reports_aborted = false;
  std::function<icmp_answer(const icmp_facts&)> icmp = [](const icmp_facts&) { return icmp_answer::ignore; };
  counting counts = counting::nothing;

  /// The deadline of a request that is to wait so long from `now` on.
  instant deadline(instant now, unsigned timeouts) const {
    const instant due = after(now, wait(timeouts));
    const duration over = due % tick;
    if (over == 0) return due;
    return due > never - tick ? due - over : due - over + tick;
  }
};

}  // namespace listenq::testing
