// SPDX-License-Identifier: BSL-1.0
// The meaning of a verdict: which segments may end so, where the request and the connection go, and what the sender
// hears. Not whether the verdict is due.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/outcome.hpp>
#include <listenq/segment.hpp>
#include <span>

namespace listenq::testing::detail {

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

/// Is what was sent the answer to `s`? `own` is the request that it had, `victim` who was evicted for it.
template <class Segment, class Request>
bool answer_fits(const Segment& s, const outcome& o, const Request* own, const Request* victim,
                 std::span<const Segment> sent) {
  const meaning m = meaning_of(o.verdict);
  const bool rst = s.flags.has(flag::rst);
  if (o.stages.has(stage::evicted_reset)) {
    if (sent.empty() || !sent.front().flags.has(flag::rst)) return false;
    if (victim != nullptr && (sent.front().destination != victim->key.peer() || sent.front().seq != victim->iss + 1)) {
      return false;
    }
    sent = sent.subspan(1);
  }
  if (o.stages.has(stage::answered) != (sent.size() == 1) || sent.size() > 1) return false;
  if (sent.empty()) {
    return m.says == answer_kind::none || rst || o.stages.has(stage::send_failed) ||
           o.stages.has(stage::rate_limited) || o.verdict == verdict::dropped_by_gate;
  }
  const Segment& a = sent.front();
  const answer_kind kind = kind_of(a.flags);
  const bool of_request = own != nullptr && o.verdict != verdict::cookie_sent;
  const seq_number first = (of_request ? own->irs : s.seq) + 1;
  const std::size_t taken = o.verdict == verdict::fast_opened ? s.payload.size : 0;
  if (kind == answer_kind::syn_ack && a.ack - first > taken) return false;
  if (kind == answer_kind::reset && (s.flags.has(flag::ack) ? a.seq != s.ack : a.ack != s.end())) return false;
  // A cookie that finds no room is ignored or, where a request would get a RST, gets one, too (FreeBSD).
  const bool in_vain = o.verdict == verdict::cookie_overflow && kind == answer_kind::reset;
  return (kind == m.says || in_vain) && o.stages.has(stage::answered_reset) == (kind == answer_kind::reset) &&
         !(rst && kind == answer_kind::reset) && a.destination == s.source && a.source == s.destination;
}

}  // namespace listenq::testing::detail
