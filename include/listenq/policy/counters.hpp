// SPDX-License-Identifier: BSL-1.0
// counters: what is counted, under the kernel's names. A counter is a function of outcomes alone; nothing in the
// listener increments anything by hand.
//
// When to use which: `linux_counters<era>` counts what that kernel counts (2.6.32 counts almost no dropped SYN, 3.12
// counts a ListenDrops for every cookie it sends); `freebsd_counters` and its like are in bsd_counters.hpp;
// `no_counters` costs nothing. Which rule moved a counter is asked of `by_cause`, an observer.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/outcome.hpp>
#include <listenq/policy/linux_era.hpp>
#include <listenq/static_array.hpp>

namespace listenq {

/// The counters of /proc/net/netstat and /proc/net/snmp that a listener moves.
struct counter_values {
  std::uint64_t passive_opens = 0;
  std::uint64_t attempt_fails = 0;
  std::uint64_t out_rsts = 0;
  std::uint64_t retrans_segs = 0;
  std::uint64_t listen_overflows = 0;
  std::uint64_t listen_drops = 0;
  std::uint64_t req_q_full_drop = 0;
  std::uint64_t req_q_full_do_cookies = 0;
  std::uint64_t syncookies_sent = 0;
  std::uint64_t syncookies_recv = 0;
  std::uint64_t syncookies_failed = 0;
  std::uint64_t embryonic_rsts = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t syn_retrans = 0;
  std::uint64_t defer_accept_drop = 0;
  std::uint64_t paws_estab = 0;
  std::uint64_t ts_ecr_rejected = 0;
  std::uint64_t ack_skipped_syn_recv = 0;
  std::uint64_t challenge_ack = 0;
  std::uint64_t out_of_window_icmps = 0;
  std::uint64_t fast_open_passive = 0;
  std::uint64_t fast_open_passive_fail = 0;
  std::uint64_t fast_open_listen_overflow = 0;
  std::uint64_t fast_open_cookie_reqd = 0;
  std::uint64_t fast_open_passive_alt_key = 0;
  std::uint64_t ack_skipped_challenge = 0;
  friend constexpr bool operator==(const counter_values&, const counter_values&) = default;
};

/// A counter's name, as its system's own tool prints it, and its place.
template <class Values>
struct basic_counter_name {
  const char* name;
  std::uint64_t Values::*value;
};
using counter_name = basic_counter_name<counter_values>;
inline constexpr static_array<counter_name, 26> counter_names{{
    {"TcpPassiveOpens", &counter_values::passive_opens},
    {"TcpAttemptFails", &counter_values::attempt_fails},
    {"TcpOutRsts", &counter_values::out_rsts},
    {"TcpRetransSegs", &counter_values::retrans_segs},
    {"TcpExtListenOverflows", &counter_values::listen_overflows},
    {"TcpExtListenDrops", &counter_values::listen_drops},
    {"TcpExtTCPReqQFullDrop", &counter_values::req_q_full_drop},
    {"TcpExtTCPReqQFullDoCookies", &counter_values::req_q_full_do_cookies},
    {"TcpExtSyncookiesSent", &counter_values::syncookies_sent},
    {"TcpExtSyncookiesRecv", &counter_values::syncookies_recv},
    {"TcpExtSyncookiesFailed", &counter_values::syncookies_failed},
    {"TcpExtEmbryonicRsts", &counter_values::embryonic_rsts},
    {"TcpExtTCPTimeouts", &counter_values::timeouts},
    {"TcpExtTCPSynRetrans", &counter_values::syn_retrans},
    {"TcpExtTCPDeferAcceptDrop", &counter_values::defer_accept_drop},
    {"TcpExtPAWSEstab", &counter_values::paws_estab},
    {"TcpExtTSEcrRejected", &counter_values::ts_ecr_rejected},
    {"TcpExtTCPACKSkippedSynRecv", &counter_values::ack_skipped_syn_recv},
    {"TcpExtTCPChallengeACK", &counter_values::challenge_ack},
    {"TcpExtOutOfWindowIcmps", &counter_values::out_of_window_icmps},
    {"TcpExtTCPFastOpenPassive", &counter_values::fast_open_passive},
    {"TcpExtTCPFastOpenPassiveFail", &counter_values::fast_open_passive_fail},
    {"TcpExtTCPFastOpenListenOverflow", &counter_values::fast_open_listen_overflow},
    {"TcpExtTCPFastOpenCookieReqd", &counter_values::fast_open_cookie_reqd},
    {"TcpExtTCPFastOpenPassiveAltKey", &counter_values::fast_open_passive_alt_key},
    {"TcpExtTCPACKSkippedChallenge", &counter_values::ack_skipped_challenge},
}};

/// Takes every record; `values()` yields the sums, a struct of 64-bit numbers, `names` their names and places in it.
template <class P>
concept counters_policy = std::default_initializable<P> &&
    requires(P& p, const P& c, const outcome& o, const timer_outcome& t, icmp_verdict v) {
  p.count(o);
  p.count(t);
  p.count(v);
  { P::names.size() } -> std::convertible_to<std::size_t>;
  { c.values().*(P::names.begin()->value) } -> std::convertible_to<std::uint64_t>;
};

/// Nothing is counted.
struct no_counters {
  static constexpr const char* name = "no_counters";
  static constexpr static_array<counter_name, 0> names{};
  static constexpr void count(const outcome&) noexcept {}
  static constexpr void count(const timer_outcome&) noexcept {}
  static constexpr void count(icmp_verdict) noexcept {}
  static constexpr counter_values values() noexcept { return {}; }
};

/// What a kernel of the era counts (kernel tables: SNMP_MIB_ITEM in net/ipv4/proc.c; where each is raised: net/ipv4).
template <linux_era Era>
class linux_counters {
 public:
  static constexpr const char* name = "linux_counters";
  static constexpr linux_era era = Era;
  static constexpr const auto& names = counter_names;

  [[gnu::always_inline]] constexpr void count(const outcome& o) noexcept {
    const stages s = o.stages;
    if ((s.bits & ~uncounted.bits) != 0) {
      if (s.has(stage::answered_reset)) ++v_.out_rsts;
      if ((s.bits & ~uncounted.bits & ~static_cast<std::uint32_t>(stage::answered_reset)) != 0) count_stages(o);
    }
    // First what most segments come to.
    if (o.verdict == verdict::admitted) return;
    if (o.verdict == verdict::promoted) {
      ++v_.passive_opens;
      return;
    }
    switch (o.verdict) {
      case verdict::cookie_sent:
        ++v_.syncookies_sent;
        if (Era == linux_era::v3_12) ++v_.listen_drops;
        break;
      case verdict::dropped_request_full:
      case verdict::reset_request_full:
        if (counts_drops) ++v_.req_q_full_drop, ++v_.listen_drops;
        break;
      case verdict::dropped_accept_full:
      case verdict::reset_accept_full:
        if (counts_drops) ++v_.listen_overflows, ++v_.listen_drops;
        break;
      case verdict::dropped_last_quarter:
      case verdict::dropped_no_memory:
      case verdict::dropped_over_budget:
      case verdict::dropped_by_gate:
      case verdict::dropped_refused:
      case verdict::dropped_send_failed:
        if (counts_drops) ++v_.listen_drops;
        break;
      case verdict::duplicate_syn:
        if (counts_drops && s.has(stage::answered)) {
          ++v_.retrans_segs;
          if (Era == linux_era::v6_18) ++v_.syn_retrans;
        }
        break;
      case verdict::challenged:
        if (s.has(stage::answered)) ++v_.challenge_ack;
        if (s.has(stage::rate_limited)) ++v_.ack_skipped_challenge;
        break;
      case verdict::request_reset:
      case verdict::request_reset_by_syn:
        ++v_.attempt_fails, ++v_.embryonic_rsts;
        break;
      case verdict::deferred:
        if (counts_drops) ++v_.defer_accept_drop;
        break;
      case verdict::cookie_in_vain:  // the child is made before the request is seen
      case verdict::cookie_promoted:
        ++v_.passive_opens;
        break;
      case verdict::fast_opened:
        ++v_.passive_opens;
        if (Era == linux_era::v6_18) ++v_.fast_open_passive;
        if (s.has(stage::fast_open_backup)) ++v_.fast_open_passive_alt_key;
        break;
      case verdict::overflow_kept:
      case verdict::overflow_reset:
      case verdict::overflow_forgotten:
      case verdict::cookie_overflow:
        if (!s.has(stage::child_refused)) ++v_.listen_overflows;
        ++v_.listen_drops;
        if (o.verdict == verdict::overflow_reset) ++v_.embryonic_rsts;
        break;
      default:
        break;
    }
  }

  constexpr void count(const timer_outcome& t) noexcept {
    const bool timed_out = t.verdict != timer_verdict::orphaned && t.verdict != timer_verdict::paused;
    if (Era == linux_era::v2_6_32 || !timed_out) return;
    ++v_.timeouts;
    if (t.sent) {
      ++v_.retrans_segs;
      if (Era == linux_era::v6_18) ++v_.syn_retrans;
    }
  }

  /// An ICMP error (tcp_v4_err, tcp_req_err).
  constexpr void count(icmp_verdict v) noexcept {
    if (v == icmp_verdict::ended && Era != linux_era::v2_6_32) ++v_.listen_drops;
    if (v == icmp_verdict::wrong_number) ++v_.out_of_window_icmps;
  }

  constexpr const counter_values& values() const noexcept { return v_; }

 private:
  static constexpr bool counts_drops = Era != linux_era::v2_6_32;
  /// All that most segments meet: nothing is counted for it.
  static constexpr stages uncounted{static_cast<std::uint32_t>(stage::answered) |
                                    static_cast<std::uint32_t>(stage::request_full)};

  constexpr void count_stages(const outcome& o) noexcept {
    const stages s = o.stages;
    if (counts_drops && s.has(stage::cookie_wanted)) {
      ++v_.req_q_full_do_cookies;
      // Of a flood that cookies answer that is all.
      if ((s.bits & ~uncounted.bits) == static_cast<std::uint32_t>(stage::cookie_wanted)) return;
    }
    if (s.has(stage::rate_limited) && o.verdict != verdict::challenged) ++v_.ack_skipped_syn_recv;
    if (s.has(stage::old_timestamp)) ++v_.paws_estab;
    if (s.has(stage::bad_echo)) ++v_.ts_ecr_rejected;
    // tcp_synq_no_recent_overflow: once a failure like a wrong cookie, later none.
    if (Era <= linux_era::v3_12 && s.has(stage::cookie_late)) ++v_.syncookies_failed;
    if (s.has(stage::cookie_checked)) ++(s.has(stage::cookie_valid) ? v_.syncookies_recv : v_.syncookies_failed);
    count_fast_open(o);
  }

  constexpr void count_fast_open(const outcome& o) noexcept {
    const stages s = o.stages;
    if (Era != linux_era::v6_18 && s.has(stage::fast_open_tried)) ++v_.fast_open_passive;
    if (s.has(stage::fast_open_failed)) ++v_.fast_open_passive_fail;
    if (s.has(stage::fast_open_full)) ++v_.fast_open_listen_overflow;
    if (s.has(stage::fast_open_asked)) ++v_.fast_open_cookie_reqd;
    // 3.12 counts the child that it could not make, and then the SYN that it drops for it.
    const bool dropped = o.verdict == verdict::dropped_accept_full || o.verdict == verdict::dropped_refused;
    if (Era == linux_era::v3_12 && dropped && s.has(stage::fast_open_failed)) ++v_.listen_drops;
  }

  counter_values v_{};
};

using default_counters = linux_counters<linux_era::v6_18>;

namespace slot {
struct counters {
  static constexpr const char* name = "counters";
};
}  // namespace slot
/// Keyword: what is counted.
template <counters_policy P = default_counters>
struct counters {
  using slot = listenq::slot::counters;
  using policy = P;
};

}  // namespace listenq
