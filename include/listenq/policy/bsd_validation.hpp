// SPDX-License-Identifier: BSL-1.0
// validation, continued: the syncaches of FreeBSD, NetBSD and OpenBSD. None of them compares the sequence number of a
// second SYN; they differ in what a wrong ACK costs, and in which RST counts.
//
// When to use which: `freebsd_validation` where a wrong ACK ends the request (syncache_expand, syncache_chkrst),
// `freebsd_main_validation` where it does not any more; `netbsd_validation` and `openbsd_validation` where it is
// answered by the SYN-ACK again (syn_cache_get).
#pragma once

#include <listenq/policy/validation.hpp>

namespace listenq {

/// FreeBSD 13.0: tcp_input in LISTEN, syncache_add, syncache_expand, syncache_chkrst, with its sysctls' defaults:
/// tcp.insecure_rst 0, tcp.tolerate_missing_ts 0, tcp.drop_synfin 0.
struct freebsd_validation {
  static constexpr const char* name = "freebsd_validation";
  static constexpr duplicate_rules duplicate{
      .restarts = restart::schedule, .echo = echo_rule::refresh_or_drop, .may_end_ecn = true, .dies_unsent = true};
  static constexpr duration rate_limit = 0;
  static constexpr bool late_timestamps = false;
  static constexpr bool checks_echo = false;

  static constexpr request_answer judge(const request_facts& f) noexcept {
    if (f.flags.has(flag::rst)) {
      if (f.exact) return request_answer::forget;
      return f.starts_in_window ? request_answer::challenge : request_answer::ignore;
    }
    if (!f.flags.has(flag::ack)) return f.flags.has(flag::syn) ? request_answer::resend : request_answer::ignore;
    if (f.flags.has(flag::syn)) return request_answer::forget_and_reset;  // syncache_badack
    if (f.old_timestamp || f.no_timestamp) return request_answer::ignore;
    return f.ack_right && f.starts_in_window ? request_answer::finish : request_answer::forget_and_reset;
  }

  static constexpr listener_answer at_listener(flags s) noexcept {
    if (s.has(flag::rst)) return listener_answer::ignore;
    if (s.has(flag::syn)) return s.has(flag::ack) ? listener_answer::reset : listener_answer::gates;
    return s.has(flag::ack) ? listener_answer::cookie : listener_answer::ignore;  // tcps_badsyn
  }
};

/// FreeBSD's main of 2026 (read in F-Stack's tree at 202c265; the first release that has it was not looked up): a wrong
/// ACK no longer ends the request. Outside the window it is challenged, with a wrong number it gets a RST.
struct freebsd_main_validation : freebsd_validation {
  static constexpr const char* name = "freebsd_main_validation";

  static constexpr request_answer judge(const request_facts& f) noexcept {
    const bool only_ack = (f.flags & (flag::syn | flag::ack | flag::rst)) == flag::ack;
    if (!only_ack || f.old_timestamp || f.no_timestamp) return freebsd_validation::judge(f);
    if (!f.starts_in_window) return request_answer::ack;
    return f.ack_right ? request_answer::finish : request_answer::reset_and_keep;
  }

  /// A SYN+ACK that nobody asked for is dropped (the scripts of freebsd-net/tcp-testsuite, since 2025-12-01).
  static constexpr listener_answer at_listener(flags s) noexcept {
    return s.has(flag::syn | flag::ack) ? listener_answer::ignore : freebsd_validation::at_listener(s);
  }
};

/// NetBSD, tcp_syncache.c 1.7: syn_cache_add, syn_cache_get, syn_cache_reset.
struct netbsd_validation {
  static constexpr const char* name = "netbsd_validation";
  static constexpr duplicate_rules duplicate{.echo = echo_rule::refresh};
  static constexpr duration rate_limit = 0;
  static constexpr bool late_timestamps = false;
  static constexpr bool checks_echo = false;

  static constexpr request_answer judge(const request_facts& f) noexcept {
    if (f.flags.has(flag::rst)) return f.at_isn || f.exact ? request_answer::forget : request_answer::ignore;
    const bool syn = f.flags.has(flag::syn), ack = f.flags.has(flag::ack);
    if (syn == ack) return request_answer::reset_and_keep;
    const bool right = f.ack_right && (f.starts_in_window || f.at_right_edge);
    return right ? request_answer::finish : request_answer::resend;
  }

  /// None of SYN, ACK and RST gets a RST, too.
  static constexpr listener_answer at_listener(flags s) noexcept {
    if (s.has(flag::rst)) return listener_answer::ignore;
    const bool syn = s.has(flag::syn), ack = s.has(flag::ack);
    if (syn == ack) return listener_answer::reset;
    return syn ? listener_answer::gates : listener_answer::cookie;
  }
};

/// OpenBSD, tcp_input.c: NetBSD's rules.
struct openbsd_validation : netbsd_validation {
  static constexpr const char* name = "openbsd_validation";
};

}  // namespace listenq
