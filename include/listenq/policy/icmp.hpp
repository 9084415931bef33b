// SPDX-License-Identifier: BSL-1.0
// icmp: does an ICMP error about a SYN-ACK of ours end its request? It decides about requests only: what an error does
// to a connection is the stack's business, and whether the error is about a segment of ours at all the listener has
// seen to before it asks (the four-tuple and the number must be the SYN-ACK's).
//
// When to use which: `linux_icmp<era>` is Linux; `second_error_after<3>` FreeBSD, NetBSD and OpenBSD, which give a
// network time to recover; `icmp_ignored` where anybody can forge such an error and patience costs nothing.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/policy/linux_era.hpp>

namespace listenq {

/// What the error says (RFC 792, RFC 1812 5.2.7.1, RFC 4443 3).
enum class icmp_error : std::uint8_t {
  network_unreachable,   ///< v4: 3/0; v6: no route, 1/0
  host_unreachable,      ///< v4: 3/1; v6: address unreachable, 1/3
  protocol_unreachable,  ///< v4: 3/2; v6: unknown next header, 4/1, is `parameter_problem`
  port_unreachable,      ///< v4: 3/3; v6: 1/4
  prohibited,            ///< v4: 3/9, 3/10, 3/13, and the rest from 3/5 to 3/15; v6: 1/1, 1/5 and above
  time_exceeded,         ///< v4: 11; v6: 3
  parameter_problem,     ///< v4: 12; v6: 4
  other,                 ///< whatever ends nothing anywhere: packet too big, redirect, source quench
};

/// What is known when the error comes.
struct icmp_facts {
  icmp_error error = icmp_error::host_unreachable;
  bool ipv6 = false;         ///< the peer's address is IPv6, and not a mapped one
  bool noted = false;        ///< an earlier error has been noted
  std::uint8_t retries = 0;  ///< timeouts of the request so far
};

enum class icmp_answer : std::uint8_t {
  ignore,
  note,  ///< the request stays, the next error finds `noted`
  end,   ///< the request goes, nothing is sent
};

template <class P>
concept icmp_policy = requires(const icmp_facts& f) {
  { P::on_icmp(f) } -> std::same_as<icmp_answer>;
};

/// Linux. To 4.3 every error ends the request. Since then (tcp_v4_err, tcp_v6_err; "do not drop syn_recv on all icmp
/// reports"), over IPv4 those that may pass, and over IPv6, the other way round, those that icmpv6_err_convert calls
/// fatal.
template <linux_era Era>
struct linux_icmp {
  static constexpr const char* name = "linux_icmp";
  static constexpr linux_era era = Era;
  static constexpr icmp_answer on_icmp(const icmp_facts& f) noexcept {
    return ends(f) ? icmp_answer::end : icmp_answer::ignore;
  }

 private:
  static constexpr bool ends(const icmp_facts& f) noexcept {
    if (f.error == icmp_error::other) return false;
    if (Era < linux_era::v4_4 || f.error == icmp_error::parameter_problem) return true;
    const bool may_pass = f.error == icmp_error::network_unreachable || f.error == icmp_error::host_unreachable ||
                          f.error == icmp_error::time_exceeded;
    return may_pass != f.ipv6;
  }
};

/// The second error ends the request, and only after so many timeouts (FreeBSD syncache_unreach, NetBSD
/// syn_cache_unreach: 3).
template <std::uint8_t Retries>
struct second_error_after {
  static constexpr const char* name = "second_error_after";
  static constexpr std::uint8_t retries = Retries;
  static constexpr icmp_answer on_icmp(const icmp_facts& f) noexcept {
    if (f.error == icmp_error::other) return icmp_answer::ignore;
    return f.noted && f.retries >= Retries ? icmp_answer::end : icmp_answer::note;
  }
};

/// Nothing ends by ICMP.
struct icmp_ignored {
  static constexpr const char* name = "icmp_ignored";
  static constexpr icmp_answer on_icmp(const icmp_facts&) noexcept { return icmp_answer::ignore; }
};

using default_icmp = linux_icmp<linux_era::v6_18>;

namespace slot {
struct icmp {
  static constexpr const char* name = "icmp";
};
}  // namespace slot
/// Keyword: an ICMP error about a SYN-ACK.
template <icmp_policy P = default_icmp>
struct icmp {
  using slot = listenq::slot::icmp;
  using policy = P;
};

}  // namespace listenq
