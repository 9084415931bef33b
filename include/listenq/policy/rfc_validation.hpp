// SPDX-License-Identifier: BSL-1.0
// validation, continued: the standards' own tables for SYN-RECEIVED after a passive open. They have no request queue: a
// request is a connection like any other, and a second SYN is a segment outside its window.
//
// When to use which: `rfc793_validation` for stacks that do what 4.4BSD did, any RST and any SYN in the window kills;
// `rfc9293_validation` for the standard of today; `rfc5961_validation` where a SYN may not kill a request either.
// Stacks that are not kernels are one of them with an exception or two: `repeats_syn_ack<...>` where the same SYN gets
// the SYN-ACK again, `takes_any_rst<...>` where no RST is challenged, `blind_to_sequence<...>` where nobody looks.
// `lwip_validation` is lwIP's, a table of its own.
#pragma once

#include <listenq/policy/validation.hpp>

namespace listenq {

/// What the three tables share.
struct rfc_table {
  static constexpr duplicate_rules duplicate{};
  static constexpr bool late_timestamps = false;
  static constexpr bool checks_echo = false;

  /// RFC 9293 3.10.7.2: a RST first, then an ACK, then a SYN. What is none of them is dropped.
  static constexpr listener_answer at_listener(flags s) noexcept {
    if (s.has(flag::rst)) return listener_answer::ignore;
    if (s.has(flag::ack)) return s.has(flag::syn) ? listener_answer::reset : listener_answer::cookie;
    return s.has(flag::syn) ? listener_answer::gates : listener_answer::ignore;
  }

 protected:
  /// RFC 9293 3.10.7.4, first: the four cases. The right edge is outside, unless there is no window at all.
  static constexpr bool acceptable(const request_facts& f) noexcept {
    return f.in_window && (!f.at_right_edge || f.exact);
  }
  /// Fourth: a SYN to the left of the window is trimmed off, what is behind it may still count.
  static constexpr bool syn_in_window(const request_facts& f) noexcept {
    return f.flags.has(flag::syn) && (f.starts_in_window || f.exact);
  }
  /// RFC 9293 3.10.7.4, fifth; a wrong number gets a RST and changes nothing.
  static constexpr request_answer of_ack(const request_facts& f) noexcept {
    if (!f.flags.has(flag::ack)) return request_answer::ignore;
    return f.ack_right ? request_answer::finish : request_answer::reset_and_keep;
  }
};

/// RFC 793, pages 69-72, with PAWS of RFC 7323 5.3 (which a RST is not held to). An ACK of our ISN alone does not
/// finish the handshake, as RFC 1122 4.2.2.20 corrects it.
struct rfc793_validation : rfc_table {
  static constexpr const char* name = "rfc793_validation";
  static constexpr duration rate_limit = 0;

  static constexpr request_answer judge(const request_facts& f) noexcept {
    const bool rst = f.flags.has(flag::rst);
    if (!acceptable(f) || (f.old_timestamp && !rst)) return request_answer::ack;
    if (rst) return request_answer::forget;
    return syn_in_window(f) ? request_answer::forget_and_reset : of_ack(f);
  }
};

/// RFC 9293 3.10.7.4 with its SHOULDs: a RST counts only if it is exact, one in the window is challenged; a SYN in the
/// window takes the listener back to LISTEN, in silence; a segment without the timestamps agreed on is dropped (RFC
/// 7323 3.2). At most one answer per 500 ms and request (RFC 5961 7 asks for a limit, and suggests 10 in 5 s).
struct rfc9293_validation : rfc_table {
  static constexpr const char* name = "rfc9293_validation";
  static constexpr duration rate_limit = 500 * millisecond;

  static constexpr request_answer judge(const request_facts& f) noexcept {
    if (f.flags.has(flag::rst)) {
      if (f.exact) return request_answer::forget;
      return f.starts_in_window ? request_answer::challenge : request_answer::ignore;
    }
    if (!acceptable(f) || f.old_timestamp) return request_answer::ack;
    if (f.no_timestamp) return request_answer::ignore;
    return syn_in_window(f) ? request_answer::forget : of_ack(f);
  }
};

/// The same, but a SYN gets a challenge ACK wherever it lies: RFC 5961 4.2, which speaks of synchronized states, taken
/// for requests, too. A peer that really has started anew answers the ACK with the exact RST.
struct rfc5961_validation : rfc9293_validation {
  static constexpr const char* name = "rfc5961_validation";

  static constexpr request_answer judge(const request_facts& f) noexcept {
    const bool only_syn = f.flags.has(flag::syn) && !f.flags.has(flag::rst);
    return only_syn ? request_answer::challenge : rfc9293_validation::judge(f);
  }
};

/// lwIP (core/tcp_in.c, tcp_process of 3d896ba0): RFC 5961 3.2 for a RST, the right edge included; otherwise the
/// sequence number matters to a SYN alone. A right ACK number finishes the handshake from anywhere, a wrong one gets a
/// RST; the SYN again gets the SYN-ACK, with or without ACK, another SYN nothing. 2.1.3, which was run, differs in one
/// point: its SYN+ACK counts as an ACK.
struct lwip_validation : rfc_table {
  static constexpr const char* name = "lwip_validation";
  static constexpr duration rate_limit = 0;

  static constexpr request_answer judge(const request_facts& f) noexcept {
    if (f.flags.has(flag::rst)) {
      if (f.exact) return request_answer::forget;
      return f.starts_in_window || f.at_right_edge ? request_answer::challenge : request_answer::ignore;
    }
    if (f.flags.has(flag::syn)) return f.at_isn ? request_answer::resend : request_answer::ignore;
    return of_ack(f);
  }
};

/// `P`, but the same SYN again gets the SYN-ACK again, as most stacks have it that are not kernels (picoTCP, VPP,
/// mTCP).
template <validation_policy P>
struct repeats_syn_ack : P {
  static constexpr const char* name = "repeats_syn_ack";

  static constexpr request_answer judge(const request_facts& f) noexcept {
    const bool again = f.at_isn && (f.flags & (flag::syn | flag::ack | flag::rst)) == flag::syn;
    return again ? request_answer::resend : P::judge(f);
  }
};

/// `P`, but every RST that begins in the window ends the request, as before RFC 5961 (VPP; FreeBSD with insecure_rst
/// 1).
template <validation_policy P>
struct takes_any_rst : P {
  static constexpr const char* name = "takes_any_rst";

  static constexpr request_answer judge(const request_facts& f) noexcept {
    return f.flags.has(flag::rst) && f.starts_in_window ? request_answer::forget : P::judge(f);
  }
};

/// `P`, to which every segment looks like the very next one (mTCP; NuttX for its RST): whoever knows the four-tuple can
/// end a request, and one right ACK number is enough to finish it.
template <validation_policy P>
struct blind_to_sequence : P {
  static constexpr const char* name = "blind_to_sequence";

  static constexpr request_answer judge(const request_facts& seen) noexcept {
    request_facts f = seen;
    f.exact = f.in_window = f.starts_in_window = true;
    f.at_right_edge = false;
    return P::judge(f);
  }
};

}  // namespace listenq
