// SPDX-License-Identifier: BSL-1.0
// What each system counts when: a row for everything that can happen, a column for each system, under the names that
// its own tools print (Linux: net/ipv4/proc.c and where each is raised; BSD: tcp_syncache.c, tcp_input.c). The model
// says what happens; this says what that is worth. It is a table, and nothing is derived from anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/testing/model/rules.hpp>
#include <map>
#include <string>
#include <string_view>

namespace listenq::testing {

/// What can happen, as far as somebody counts it.
enum class happening : std::uint8_t {
  cookie_wanted,  ///< the request queue is full, or cookies are for all: a cookie is to answer
  cookie_sent,
  cookie_unsent,  ///< and it could not leave
  cookie_in_iss,
  request_full_drop,
  request_full_reset,
  accept_full_drop,
  accept_full_reset,
  no_memory,
  send_failed,          ///< a SYN is dropped for it
  other_refusal,        ///< the last quarter, a budget, a gate of somebody's own, a firewall
  evicted_from_bucket,  ///< because the bucket was full
  evicted,
  admitted,
  duplicate,
  duplicate_answered,
  duplicate_unsent,  ///< and the request went with it
  challenge_sent,
  challenge_held_back,
  answer_held_back,  ///< by the rate limit
  old_timestamp,
  bad_echo,
  ended_by_reset,       ///< a request, by a RST
  ended_by_syn,         ///< by a SYN in the window
  ended_by_syn_ack,     ///< by a SYN-ACK (syncache_badack)
  ended_by_silent_syn,  ///< and nothing is said
  reset_in_vain,        ///< a RST that ended no request, at a listening port
  bare_ack_deferred,
  child_made,  ///< out of a request
  child_made_by_cookie,
  child_made_in_vain,  ///< by a cookie whose four-tuple has another request
  accept_full_at_ack,
  child_refused,
  request_reset_for_room,  ///< one of the two last, and the request ends with a RST
  cookie_late,             ///< an ACK, long after the last cookie
  cookie_right,
  cookie_wrong,
  stray,
  stray_syn_ack,
  useless,     ///< what a listener ignores, a RST aside
  reset_sent,  ///< in answer to a segment
  timer_resent,
  timer_unsent,  ///< the SYN-ACK could not leave, the request lives on
  timer_waited,
  timer_expired,
  timer_send_failed,  ///< and the request ends
  icmp_ended,
  icmp_wrong_number,
};

struct counted_happening {
  happening what;
  const char* linux_2_6_32 = "";
  const char* linux_3_12 = "";
  const char* linux_4_4 = "";
  const char* linux_6_18 = "";
  const char* freebsd = "";
  const char* netbsd = "";
  const char* openbsd = "";
  const char* xnu = "";
};

// clang-format off
inline constexpr counted_happening counted_happenings[] = {
  {happening::cookie_wanted, "", "TcpExtTCPReqQFullDoCookies", "TcpExtTCPReqQFullDoCookies", "TcpExtTCPReqQFullDoCookies"},
  {happening::cookie_sent, "TcpExtSyncookiesSent", "TcpExtSyncookiesSent TcpExtListenDrops", "TcpExtSyncookiesSent", "TcpExtSyncookiesSent", "tcps_sc_sendcookie"},
  {happening::cookie_unsent, "", "", "", "", "tcps_sc_dropped"},
  {happening::cookie_in_iss, "", "", "", "", "tcps_sc_sendcookie"},
  {happening::request_full_drop, "", "TcpExtTCPReqQFullDrop TcpExtListenDrops", "TcpExtTCPReqQFullDrop TcpExtListenDrops", "TcpExtTCPReqQFullDrop TcpExtListenDrops", "tcps_sc_zonefail", "", "", "tcps_listendrop"},
  {happening::request_full_reset, "", "TcpExtTCPReqQFullDrop TcpExtListenDrops", "TcpExtTCPReqQFullDrop TcpExtListenDrops", "TcpExtTCPReqQFullDrop TcpExtListenDrops"},
  {happening::accept_full_drop, "", "TcpExtListenOverflows TcpExtListenDrops", "TcpExtListenOverflows TcpExtListenDrops", "TcpExtListenOverflows TcpExtListenDrops", "tcps_listendrop", "", "tcps_dropsyn", "tcps_listendrop"},
  {happening::accept_full_reset, "", "TcpExtListenOverflows TcpExtListenDrops", "TcpExtListenOverflows TcpExtListenDrops", "TcpExtListenOverflows TcpExtListenDrops"},
  {happening::no_memory, "", "TcpExtListenDrops", "TcpExtListenDrops", "TcpExtListenDrops", "tcps_sc_zonefail", "", "tcps_dropsyn", "tcps_listendrop"},
  {happening::send_failed, "", "TcpExtListenDrops", "TcpExtListenDrops", "TcpExtListenDrops", "tcps_sc_dropped", "TCP_STAT_SC_DROPPED", "tcps_sc_dropped"},
  {happening::other_refusal, "", "TcpExtListenDrops", "TcpExtListenDrops", "TcpExtListenDrops"},
  {happening::evicted_from_bucket, "", "", "", "", "tcps_sc_bucketoverflow", "TCP_STAT_SC_BUCKETOVERFLOW", "tcps_sc_bucketoverflow", "tcps_listendrop"},
  {happening::evicted, "", "", "", "", "tcps_sc_zonefail", "TCP_STAT_SC_OVERFLOWED", "tcps_sc_overflowed", "tcps_listendrop"},
  {happening::admitted, "", "", "", "", "tcps_sc_added", "TCP_STAT_SC_ADDED", "tcps_sc_added"},
  {happening::duplicate, "", "", "", "", "tcps_sc_dupsyn", "TCP_STAT_SC_DUPESYN", "tcps_sc_dupesyn"},
  {happening::duplicate_answered, "", "TcpRetransSegs", "TcpRetransSegs", "TcpRetransSegs TcpExtTCPSynRetrans"},
  {happening::duplicate_unsent, "", "", "", "", "tcps_sc_dupsyn tcps_sc_dropped", "TCP_STAT_SC_DUPESYN", "tcps_sc_dupesyn"},
  {happening::challenge_sent, "TcpExtTCPChallengeACK", "TcpExtTCPChallengeACK", "TcpExtTCPChallengeACK", "TcpExtTCPChallengeACK"},
  {happening::challenge_held_back, "TcpExtTCPACKSkippedChallenge", "TcpExtTCPACKSkippedChallenge", "TcpExtTCPACKSkippedChallenge", "TcpExtTCPACKSkippedChallenge"},
  {happening::answer_held_back, "TcpExtTCPACKSkippedSynRecv", "TcpExtTCPACKSkippedSynRecv", "TcpExtTCPACKSkippedSynRecv", "TcpExtTCPACKSkippedSynRecv"},
  {happening::old_timestamp, "TcpExtPAWSEstab", "TcpExtPAWSEstab", "TcpExtPAWSEstab", "TcpExtPAWSEstab"},
  {happening::bad_echo, "TcpExtTSEcrRejected", "TcpExtTSEcrRejected", "TcpExtTSEcrRejected", "TcpExtTSEcrRejected"},
  {happening::ended_by_reset, "TcpAttemptFails TcpExtEmbryonicRsts", "TcpAttemptFails TcpExtEmbryonicRsts", "TcpAttemptFails TcpExtEmbryonicRsts", "TcpAttemptFails TcpExtEmbryonicRsts", "tcps_sc_reset", "TCP_STAT_SC_RESET", "tcps_sc_reset"},
  {happening::ended_by_syn, "TcpAttemptFails TcpExtEmbryonicRsts", "TcpAttemptFails TcpExtEmbryonicRsts", "TcpAttemptFails TcpExtEmbryonicRsts", "TcpAttemptFails TcpExtEmbryonicRsts"},
  {happening::ended_by_syn_ack, "TcpAttemptFails TcpExtEmbryonicRsts", "TcpAttemptFails TcpExtEmbryonicRsts", "TcpAttemptFails TcpExtEmbryonicRsts", "TcpAttemptFails TcpExtEmbryonicRsts", "tcps_sc_badack tcps_badsyn"},
  {happening::ended_by_silent_syn, "TcpAttemptFails TcpExtEmbryonicRsts", "TcpAttemptFails TcpExtEmbryonicRsts", "TcpAttemptFails TcpExtEmbryonicRsts", "TcpAttemptFails TcpExtEmbryonicRsts", "tcps_sc_reset", "TCP_STAT_SC_RESET", "tcps_sc_reset"},
  {happening::reset_in_vain, "", "", "", "", "tcps_badrst"},
  {happening::bare_ack_deferred, "", "TcpExtTCPDeferAcceptDrop", "TcpExtTCPDeferAcceptDrop", "TcpExtTCPDeferAcceptDrop"},
  {happening::child_made, "TcpPassiveOpens", "TcpPassiveOpens", "TcpPassiveOpens", "TcpPassiveOpens", "tcps_sc_completed tcps_accepts", "TCP_STAT_SC_COMPLETED TCP_STAT_ACCEPTS", "tcps_sc_completed tcps_accepts"},
  {happening::child_made_by_cookie, "TcpPassiveOpens", "TcpPassiveOpens", "TcpPassiveOpens", "TcpPassiveOpens", "tcps_sc_completed tcps_accepts"},
  {happening::child_made_in_vain, "TcpPassiveOpens", "TcpPassiveOpens", "TcpPassiveOpens", "TcpPassiveOpens"},
  {happening::accept_full_at_ack, "TcpExtListenOverflows TcpExtListenDrops", "TcpExtListenOverflows TcpExtListenDrops", "TcpExtListenOverflows TcpExtListenDrops", "TcpExtListenOverflows TcpExtListenDrops", "tcps_sc_aborted tcps_listendrop", "TCP_STAT_SC_ABORTED", "tcps_sc_aborted"},
  {happening::child_refused, "TcpExtListenDrops", "TcpExtListenDrops", "TcpExtListenDrops", "TcpExtListenDrops", "tcps_sc_aborted tcps_listendrop", "TCP_STAT_SC_ABORTED", "tcps_sc_aborted"},
  {happening::request_reset_for_room, "TcpExtEmbryonicRsts", "TcpExtEmbryonicRsts", "TcpExtEmbryonicRsts", "TcpExtEmbryonicRsts"},
  {happening::cookie_late, "TcpExtSyncookiesFailed", "TcpExtSyncookiesFailed"},
  {happening::cookie_right, "TcpExtSyncookiesRecv", "TcpExtSyncookiesRecv", "TcpExtSyncookiesRecv", "TcpExtSyncookiesRecv", "tcps_sc_recvcookie"},
  {happening::cookie_wrong, "TcpExtSyncookiesFailed", "TcpExtSyncookiesFailed", "TcpExtSyncookiesFailed", "TcpExtSyncookiesFailed"},
  {happening::stray, "", "", "", "", "", "", "", "tcps_badsyn"},
  {happening::stray_syn_ack, "", "", "", "", "tcps_badsyn", "", "", "tcps_badsyn"},
  {happening::useless, "", "", "", "", "tcps_badsyn"},
  {happening::reset_sent, "TcpOutRsts", "TcpOutRsts", "TcpOutRsts", "TcpOutRsts"},
  {happening::timer_resent, "", "TcpExtTCPTimeouts TcpRetransSegs", "TcpExtTCPTimeouts TcpRetransSegs", "TcpExtTCPTimeouts TcpRetransSegs TcpExtTCPSynRetrans", "tcps_sc_retransmitted", "TCP_STAT_SC_RETRANSMITTED", "tcps_sc_retransmitted"},
  {happening::timer_unsent, "", "TcpExtTCPTimeouts", "TcpExtTCPTimeouts", "TcpExtTCPTimeouts", "", "TCP_STAT_SC_RETRANSMITTED", "tcps_sc_retransmitted"},
  {happening::timer_waited, "", "TcpExtTCPTimeouts", "TcpExtTCPTimeouts", "TcpExtTCPTimeouts"},
  {happening::timer_expired, "", "TcpExtTCPTimeouts", "TcpExtTCPTimeouts", "TcpExtTCPTimeouts", "tcps_sc_stale", "TCP_STAT_SC_TIMED_OUT", "tcps_sc_timed_out"},
  {happening::timer_send_failed, "", "TcpExtTCPTimeouts", "TcpExtTCPTimeouts", "TcpExtTCPTimeouts", "tcps_sc_dropped"},
  {happening::icmp_ended, "", "TcpExtListenDrops", "TcpExtListenDrops", "TcpExtListenDrops", "tcps_sc_unreach", "TCP_STAT_SC_UNREACH", "tcps_sc_unreach"},
  {happening::icmp_wrong_number, "TcpExtOutOfWindowIcmps", "TcpExtOutOfWindowIcmps", "TcpExtOutOfWindowIcmps", "TcpExtOutOfWindowIcmps"},
};
// clang-format on

/// The names that a system counts for it, a space between two.
constexpr const char* names_of(happening h, counting system) noexcept {
  for (const counted_happening& row : counted_happenings) {
    if (row.what != h) continue;
    const char* const columns[] = {"",          row.linux_2_6_32, row.linux_3_12, row.linux_4_4, row.linux_6_18,
                                   row.freebsd, row.netbsd,       row.openbsd,    row.xnu};
    return columns[static_cast<std::size_t>(system)];
  }
  return "";
}

/// Counters by name. One that was never raised is not in it.
using counter_map = std::map<std::string, std::uint64_t, std::less<>>;

inline void count(counter_map& c, happening h, counting system) {
  for (std::string_view names = names_of(h, system); !names.empty();) {
    const std::size_t end = names.find(' ');
    ++c[std::string{names.substr(0, end)}];
    names = end == std::string_view::npos ? std::string_view{} : names.substr(end + 1);
  }
}

}  // namespace listenq::testing
