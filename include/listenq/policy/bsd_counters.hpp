// SPDX-License-Identifier: BSL-1.0
// bsd_counters: models of `counters` under the names of the BSDs (struct tcpstat, TCP_STAT_*, `netstat -s -p tcp`).
// A counter is a function of outcomes alone, as in counters.hpp.
//
// When to use which: `freebsd_counters` for FreeBSD 13, `netbsd_counters`, `openbsd_counters`; `xnu_counters` has the
// two that were found in xnu-11417. What a counter of the name would count is left out where the listener has no such
// event: tcps_sc_collisions, tcps_sc_delayed_free, tcps_sc_seedrandom.
#pragma once

#include <cstdint>
#include <listenq/outcome.hpp>
#include <listenq/policy/counters.hpp>
#include <listenq/static_array.hpp>

namespace listenq {

/// The counters of a syncache and of a listening socket. Each system names those that it has.
struct bsd_counter_values {
  std::uint64_t added = 0;           ///< requests stored
  std::uint64_t retransmitted = 0;   ///< SYN-ACKs sent again by a timer
  std::uint64_t dupsyn = 0;          ///< SYNs of a request that is there
  std::uint64_t dropped = 0;         ///< SYN-ACKs that could not leave
  std::uint64_t completed = 0;       ///< sockets made
  std::uint64_t bucketoverflow = 0;  ///< evicted, the bucket was full
  std::uint64_t cacheoverflow = 0;   ///< evicted, all was full
  std::uint64_t reset = 0;           ///< ended by a RST
  std::uint64_t stale = 0;           ///< ended by the last timer
  std::uint64_t aborted = 0;         ///< ended because no socket could be made
  std::uint64_t badack = 0;          ///< SYN-ACKs at a request
  std::uint64_t unreach = 0;         ///< ended by ICMP
  std::uint64_t zonefail = 0;        ///< no memory
  std::uint64_t sendcookie = 0;
  std::uint64_t recvcookie = 0;
  std::uint64_t accepts = 0;     ///< connections made, not accept() calls
  std::uint64_t listendrop = 0;  ///< for want of room in the accept queue
  std::uint64_t dropsyn = 0;     ///< SYNs dropped for want of room or memory
  std::uint64_t badsyn = 0;      ///< what cannot open a connection, at a listening port
  std::uint64_t badrst = 0;      ///< RSTs that ended nothing
  friend constexpr bool operator==(const bsd_counter_values&, const bsd_counter_values&) = default;
};
using bsd_counter_name = basic_counter_name<bsd_counter_values>;

namespace detail {

/// No socket could be made: the accept queue was full, or the stack refused.
constexpr bool found_no_socket(verdict v) noexcept {
  return v == verdict::overflow_kept || v == verdict::overflow_reset || v == verdict::overflow_forgotten ||
         v == verdict::cookie_overflow;
}

/// NetBSD and OpenBSD, syn_cache_*: the two have the same syncache.
class syn_cache_counters {
 public:
  constexpr void count(const outcome& o) noexcept {
    if (o.stages.has(stage::evicted)) ++(o.stages.has(stage::bucket_full) ? v_.bucketoverflow : v_.cacheoverflow);
    if (o.verdict == verdict::admitted) ++v_.added;
    if (o.verdict == verdict::dropped_send_failed) ++v_.dropped;
    if (o.verdict == verdict::duplicate_syn || o.verdict == verdict::duplicate_unsent) ++v_.dupsyn;
    if (o.verdict == verdict::promoted) ++v_.completed, ++v_.accepts;
    if (found_no_socket(o.verdict)) ++v_.aborted;
    if (o.verdict == verdict::request_reset) ++v_.reset;
    if (o.verdict == verdict::dropped_accept_full || o.verdict == verdict::dropped_no_memory) ++v_.dropsyn;
  }
  /// A SYN-ACK counts whether it could leave or not (syn_cache_timer).
  constexpr void count(const timer_outcome& t) noexcept {
    if (t.verdict == timer_verdict::resent) ++v_.retransmitted;
    if (t.verdict == timer_verdict::expired) ++v_.stale;
  }
  constexpr void count(icmp_verdict v) noexcept { v_.unreach += v == icmp_verdict::ended; }
  constexpr const bsd_counter_values& values() const noexcept { return v_; }

 private:
  bsd_counter_values v_{};
};

}  // namespace detail

/// FreeBSD 13, tcp_syncache.c and the LISTEN block of tcp_input.c. There, tcps_sc_bucketoverflow counts pauses of the
/// whole syncache, here each overflow; and tcps_sc_cacheoverflow is never raised: a full zone is tcps_sc_zonefail.
class freebsd_counters {
 public:
  static constexpr const char* name = "freebsd_counters";
  static constexpr static_array<bsd_counter_name, 19> names{{
      {"tcps_sc_added", &bsd_counter_values::added},
      {"tcps_sc_retransmitted", &bsd_counter_values::retransmitted},
      {"tcps_sc_dupsyn", &bsd_counter_values::dupsyn},
      {"tcps_sc_dropped", &bsd_counter_values::dropped},
      {"tcps_sc_completed", &bsd_counter_values::completed},
      {"tcps_sc_bucketoverflow", &bsd_counter_values::bucketoverflow},
      {"tcps_sc_cacheoverflow", &bsd_counter_values::cacheoverflow},
      {"tcps_sc_reset", &bsd_counter_values::reset},
      {"tcps_sc_stale", &bsd_counter_values::stale},
      {"tcps_sc_aborted", &bsd_counter_values::aborted},
      {"tcps_sc_badack", &bsd_counter_values::badack},
      {"tcps_sc_unreach", &bsd_counter_values::unreach},
      {"tcps_sc_zonefail", &bsd_counter_values::zonefail},
      {"tcps_sc_sendcookie", &bsd_counter_values::sendcookie},
      {"tcps_sc_recvcookie", &bsd_counter_values::recvcookie},
      {"tcps_accepts", &bsd_counter_values::accepts},
      {"tcps_listendrop", &bsd_counter_values::listendrop},
      {"tcps_badsyn", &bsd_counter_values::badsyn},
      {"tcps_badrst", &bsd_counter_values::badrst},
  }};

  constexpr void count(const outcome& o) noexcept {
    const stages s = o.stages;
    const bool syn_ack = o.flags.has(flag::syn | flag::ack);
    if (s.has(stage::evicted)) ++(s.has(stage::bucket_full) ? v_.bucketoverflow : v_.zonefail);
    if (s.has(stage::cookie_valid)) ++v_.recvcookie;
    if (s.has(stage::cookie_in_iss)) ++v_.sendcookie;
    if (detail::found_no_socket(o.verdict)) ++v_.aborted, ++v_.listendrop;
    const bool at_port = o.verdict != verdict::not_listening;
    if (o.flags.has(flag::rst) && at_port && o.verdict != verdict::request_reset) ++v_.badrst;
    switch (o.verdict) {
      case verdict::admitted:
        ++v_.added;
        break;
      case verdict::cookie_sent:
        ++v_.sendcookie;
        if (s.has(stage::send_failed)) ++v_.dropped;
        break;
      case verdict::dropped_request_full:
      case verdict::dropped_no_memory:
        ++v_.zonefail;
        break;
      case verdict::dropped_accept_full:
        ++v_.listendrop;
        break;
      case verdict::dropped_send_failed:
        ++v_.dropped;
        break;
      case verdict::duplicate_syn:
        ++v_.dupsyn;
        break;
      case verdict::duplicate_unsent:
        ++v_.dupsyn, ++v_.dropped;
        break;
      case verdict::promoted:
      case verdict::cookie_promoted:
      case verdict::fast_opened:
        ++v_.completed, ++v_.accepts;
        break;
      case verdict::request_reset:
        ++v_.reset;
        break;
      case verdict::request_reset_by_syn:
        if (syn_ack) ++v_.badack, ++v_.badsyn;
        break;
      case verdict::stray:
        if (syn_ack) ++v_.badsyn;
        break;
      case verdict::ignored:
      case verdict::no_ack:
        if (!o.flags.has(flag::rst)) ++v_.badsyn;
        break;
      default:
        break;
    }
  }
  constexpr void count(const timer_outcome& t) noexcept {
    if (t.sent) ++v_.retransmitted;
    if (t.verdict == timer_verdict::expired) ++v_.stale;
    if (t.verdict == timer_verdict::send_failed) ++v_.dropped;
  }
  constexpr void count(icmp_verdict v) noexcept { v_.unreach += v == icmp_verdict::ended; }
  constexpr const bsd_counter_values& values() const noexcept { return v_; }

 private:
  bsd_counter_values v_{};
};

/// NetBSD, tcp_syncache.c 1.7. A SYN that its accept queue turns away is counted nowhere.
struct netbsd_counters : detail::syn_cache_counters {
  static constexpr const char* name = "netbsd_counters";
  static constexpr static_array<bsd_counter_name, 12> names{{
      {"TCP_STAT_SC_ADDED", &bsd_counter_values::added},
      {"TCP_STAT_SC_COMPLETED", &bsd_counter_values::completed},
      {"TCP_STAT_SC_TIMED_OUT", &bsd_counter_values::stale},
      {"TCP_STAT_SC_OVERFLOWED", &bsd_counter_values::cacheoverflow},
      {"TCP_STAT_SC_RESET", &bsd_counter_values::reset},
      {"TCP_STAT_SC_UNREACH", &bsd_counter_values::unreach},
      {"TCP_STAT_SC_BUCKETOVERFLOW", &bsd_counter_values::bucketoverflow},
      {"TCP_STAT_SC_ABORTED", &bsd_counter_values::aborted},
      {"TCP_STAT_SC_DUPESYN", &bsd_counter_values::dupsyn},
      {"TCP_STAT_SC_DROPPED", &bsd_counter_values::dropped},
      {"TCP_STAT_SC_RETRANSMITTED", &bsd_counter_values::retransmitted},
      {"TCP_STAT_ACCEPTS", &bsd_counter_values::accepts},
  }};
};

/// OpenBSD, tcp_input.c: as NetBSD, and tcps_dropsyn for a SYN that found the accept queue full or no memory.
struct openbsd_counters : detail::syn_cache_counters {
  static constexpr const char* name = "openbsd_counters";
  static constexpr static_array<bsd_counter_name, 13> names{{
      {"tcps_sc_added", &bsd_counter_values::added},
      {"tcps_sc_completed", &bsd_counter_values::completed},
      {"tcps_sc_timed_out", &bsd_counter_values::stale},
      {"tcps_sc_overflowed", &bsd_counter_values::cacheoverflow},
      {"tcps_sc_reset", &bsd_counter_values::reset},
      {"tcps_sc_unreach", &bsd_counter_values::unreach},
      {"tcps_sc_bucketoverflow", &bsd_counter_values::bucketoverflow},
      {"tcps_sc_aborted", &bsd_counter_values::aborted},
      {"tcps_sc_dupesyn", &bsd_counter_values::dupsyn},
      {"tcps_sc_dropped", &bsd_counter_values::dropped},
      {"tcps_sc_retransmitted", &bsd_counter_values::retransmitted},
      {"tcps_accepts", &bsd_counter_values::accepts},
      {"tcps_dropsyn", &bsd_counter_values::dropsyn},
  }};
};

/// XNU (xnu-11417), tcp_input.c: a SYN that found no room, whether somebody was evicted for it then or not; an ACK at a
/// listening port that nobody waits for.
class xnu_counters {
 public:
  static constexpr const char* name = "xnu_counters";
  static constexpr static_array<bsd_counter_name, 2> names{{
      {"tcps_listendrop", &bsd_counter_values::listendrop},
      {"tcps_badsyn", &bsd_counter_values::badsyn},
  }};
  constexpr void count(const outcome& o) noexcept {
    const bool refused = o.verdict == verdict::dropped_request_full || o.verdict == verdict::dropped_accept_full ||
                         o.verdict == verdict::dropped_no_memory;
    if (refused || o.stages.has(stage::evicted)) ++v_.listendrop;
    if (o.verdict == verdict::stray) ++v_.badsyn;
  }
  static constexpr void count(const timer_outcome&) noexcept {}
  static constexpr void count(icmp_verdict) noexcept {}
  constexpr const bsd_counter_values& values() const noexcept { return v_; }

 private:
  bsd_counter_values v_{};
};

}  // namespace listenq
