// SPDX-License-Identifier: BSL-1.0
// validation: what a segment gets that belongs to a request: duplicate SYN, wrong number, RST, final ACK.
// It judges; it neither sends nor counts, and it does not know whether a connection could be queued.
//
// When to use which: `linux_validation<era>` in the order of that kernel's tcp_check_req.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/policy/linux_era.hpp>
#include <listenq/segment.hpp>

namespace listenq {

/// What may be looked at.
struct request_facts {
  listenq::flags flags{};
  bool at_isn = false;         ///< the sequence number is the peer's ISN
  bool exact = false;          ///< the sequence number is the very next one
  bool in_window = false;      ///< the segment touches the window that our SYN-ACK offered
  bool ack_right = false;      ///< it has ACK and acknowledges our SYN-ACK
  bool old_timestamp = false;  ///< PAWS would reject it
  bool bad_echo = false;       ///< it echoes a timestamp that no SYN-ACK of this request carried
};

enum class request_answer : std::uint8_t {
  resend,            ///< SYN-ACK again
  reset_and_keep,    ///< RST, the request stays
  ack,               ///< bare ACK, the request stays
  challenge,         ///< bare ACK to a RST that is not exact, the request stays
  forget,            ///< the request goes, nothing is said
  forget_and_reset,  ///< the request goes, RST
  ignore,
  finish,  ///< this is the ACK that finishes the handshake
};

/// `judge(facts)`, and how its answers are given:
/// `restarts_timer` (a resent SYN-ACK restarts the timer), `rate_limit` (least time between two answers to one request,
/// 0 for none), `syn_fin` (a SYN with FIN opens a connection), `late_timestamps` (an ACK that does not finish the
/// handshake updates the timestamp we echo).
template <class P>
concept validation_policy = requires(const request_facts& f) {
  { P::judge(f) } -> std::same_as<request_answer>;
  { P::restarts_timer } -> std::convertible_to<bool>;
  { P::rate_limit } -> std::convertible_to<duration>;
  { P::syn_fin } -> std::convertible_to<bool>;
  { P::late_timestamps } -> std::convertible_to<bool>;
};

/// Linux, tcp_check_req of the era; for 6.18 with the answers to RST as recorded from 6.18.44.
template <linux_era Era>
struct linux_validation {
  static constexpr const char* name = "linux_validation";
  static constexpr linux_era era = Era;
  static constexpr bool restarts_timer = Era != linux_era::v2_6_32;
  static constexpr duration rate_limit = Era == linux_era::v6_18 ? 500 * millisecond : 0;
  static constexpr bool syn_fin = Era == linux_era::v2_6_32;
  static constexpr bool late_timestamps = Era != linux_era::v6_18;

  static constexpr request_answer judge(const request_facts& f) noexcept {
    constexpr bool exact_rst = Era == linux_era::v6_18;
    const bool rst = f.flags.has(flag::rst);
    const bool bad_echo = exact_rst && f.bad_echo;
    if (exact_rst && rst) {
      if (f.old_timestamp || bad_echo || !f.in_window) return request_answer::ack;
      return f.exact ? request_answer::forget : request_answer::challenge;
    }
    const bool only_syn = (f.flags & (flag::syn | flag::ack | flag::rst)) == flag::syn;
    if (f.at_isn && only_syn && !f.old_timestamp) return request_answer::resend;
    if (f.flags.has(flag::ack) && !f.ack_right) return request_answer::reset_and_keep;
    if (f.old_timestamp || bad_echo || !f.in_window) return request_answer::ack;
    if (rst) return request_answer::forget;
    if (f.flags.has(flag::syn) && !f.at_isn) return request_answer::forget_and_reset;
    return f.flags.has(flag::ack) ? request_answer::finish : request_answer::ignore;
  }
};

using default_validation = linux_validation<linux_era::v6_18>;

namespace slot {
struct validation {
  static constexpr const char* name = "validation";
};
}  // namespace slot
/// Keyword: what a segment gets that belongs to a request.
template <validation_policy P = default_validation>
struct validation {
  using slot = listenq::slot::validation;
  using policy = P;
};

}  // namespace listenq
