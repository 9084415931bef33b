// SPDX-License-Identifier: BSL-1.0
// How a segment at a request is judged, by system: the tables of Linux's tcp_check_req, of the BSDs' syncaches and of
// RFC 9293 3.10.7.4, each as a list of questions in the order in which that system asks them.
#pragma once

#include <cstdint>
#include <functional>
#include <listenq/policy/linux_era.hpp>
#include <listenq/policy/validation.hpp>
#include <listenq/segment.hpp>

namespace listenq::testing {

/// A segment and the request that it meets.
struct meeting {
  listenq::flags flags{};
  std::int64_t offset = 0;  ///< of its first byte from the number that we wait for, -2^31..2^31
  std::int64_t length = 0;  ///< bytes, SYN and FIN
  std::int64_t window = 0;  ///< that our SYN-ACK has offered
  bool right_ack = false;   ///< it acknowledges our SYN-ACK
  bool paws = false;        ///< its timestamp is older than the one we remember
  bool bad_echo = false;    ///< it echoes a timestamp that we never sent
  bool no_timestamp = false;
  bool blind = false;  ///< whoever judges takes every number for the very next one

  bool is(listenq::flags f) const noexcept { return flags.has(f); }
  bool is_the_isn() const noexcept { return offset == -1; }
  bool exact() const noexcept { return blind || offset == 0; }
  bool starts_inside() const noexcept { return blind || (offset >= 0 && offset < window); }
  bool at_edge() const noexcept { return !blind && offset == window; }
  /// Linux, tcp_in_window: what is empty may stand at the right edge.
  bool touches() const noexcept {
    if (exact()) return true;
    if (offset + length > 0 && offset < window) return true;
    return at_edge() && length == 0;
  }
  /// RFC 9293 3.10.7.4: the four cases.
  bool acceptable() const noexcept { return touches() && (!at_edge() || exact()); }
  bool only_syn() const noexcept { return is(flag::syn) && !flags.any(flag::ack | flag::rst); }
};

using judgement = std::function<request_answer(const meeting&)>;

/// tcp_check_req; 6.18 with what was measured: only the exact RST ends a request, others are challenged.
inline judgement judged_by_linux(linux_era era) {
  return [era](const meeting& m) {
    using enum request_answer;
    const bool modern = era == linux_era::v6_18;
    const bool unacceptable = m.paws || (modern && m.bad_echo) || !m.touches();
    if (modern && m.is(flag::rst)) return unacceptable ? ack : m.exact() ? forget : challenge;
    if (m.is_the_isn() && m.only_syn() && !m.paws) return resend;
    if (m.is(flag::ack) && !m.right_ack) return reset_and_keep;
    if (unacceptable) return ack;
    if (m.is(flag::rst)) return forget;
    if (m.is(flag::syn) && !m.is_the_isn()) return forget_and_reset;
    return m.is(flag::ack) ? finish : ignore;
  };
}
inline std::function<listener_answer(flags)> answered_by_linux(linux_era era) {
  return [era](flags f) {
    if (f.has(flag::rst)) return listener_answer::ignore;
    if (f.has(flag::syn | flag::ack)) return listener_answer::reset;
    if (f.has(flag::ack)) return listener_answer::cookie;
    if (!f.has(flag::syn)) return listener_answer::ignore;
    const bool takes_fin = era == linux_era::v2_6_32;
    return f.has(flag::fin) && !takes_fin ? listener_answer::ignore : listener_answer::gates;
  };
}

/// syncache_chkrst, syncache_add, syncache_expand. `keeps`: since 2026 a wrong ACK does not end the request.
inline judgement judged_by_freebsd(bool keeps) {
  return [keeps](const meeting& m) {
    using enum request_answer;
    if (m.is(flag::rst)) return m.exact() ? forget : m.starts_inside() ? challenge : ignore;
    if (m.is(flag::syn) && m.is(flag::ack)) return forget_and_reset;
    if (m.is(flag::syn)) return resend;
    if (!m.is(flag::ack)) return ignore;
    if (m.paws || m.no_timestamp) return ignore;
    if (!m.starts_inside()) return keeps ? ack : forget_and_reset;
    if (!m.right_ack) return keeps ? reset_and_keep : forget_and_reset;
    return finish;
  };
}
inline listener_answer answered_by_freebsd(flags f) {
  if (f.has(flag::rst)) return listener_answer::ignore;
  if (f.has(flag::syn | flag::ack)) return listener_answer::reset;
  if (f.has(flag::syn)) return listener_answer::gates;
  return f.has(flag::ack) ? listener_answer::cookie : listener_answer::ignore;
}

/// syn_cache_reset, syn_cache_add, syn_cache_get. The window of the last has its right edge inside.
inline request_answer judged_by_netbsd(const meeting& m) {
  using enum request_answer;
  if (m.is(flag::rst)) return m.is_the_isn() || m.exact() ? forget : ignore;
  if (m.is(flag::syn) && m.is(flag::ack)) return reset_and_keep;
  if (m.is(flag::syn)) return resend;
  if (!m.is(flag::ack)) return reset_and_keep;
  return m.right_ack && (m.starts_inside() || m.at_edge()) ? finish : resend;
}
inline listener_answer answered_by_netbsd(flags f) {
  if (f.has(flag::rst)) return listener_answer::ignore;
  if (f.has(flag::syn | flag::ack)) return listener_answer::reset;
  if (f.has(flag::syn)) return listener_answer::gates;
  return f.has(flag::ack) ? listener_answer::cookie : listener_answer::reset;
}

/// RFC 793, pages 69-72, with PAWS.
inline request_answer judged_by_rfc793(const meeting& m) {
  using enum request_answer;
  if (!m.acceptable()) return ack;
  if (m.is(flag::rst)) return forget;
  if (m.paws) return ack;
  if (m.is(flag::syn) && m.starts_inside()) return forget_and_reset;
  if (!m.is(flag::ack)) return ignore;
  return m.right_ack ? finish : reset_and_keep;
}
/// RFC 9293 3.10.7.4 with its SHOULDs. `challenges_syn`: RFC 5961 4.2 for requests, too.
inline judgement judged_by_rfc9293(bool challenges_syn) {
  return [challenges_syn](const meeting& m) {
    using enum request_answer;
    if (m.is(flag::rst)) return m.exact() ? forget : m.starts_inside() ? challenge : ignore;
    if (challenges_syn && m.is(flag::syn)) return challenge;
    if (!m.acceptable() || m.paws) return ack;
    if (m.no_timestamp) return ignore;
    if (m.is(flag::syn) && m.starts_inside()) return forget;
    if (!m.is(flag::ack)) return ignore;
    return m.right_ack ? finish : reset_and_keep;
  };
}
/// tcp_process: numbers of ACKs, and sequence numbers of SYNs and RSTs.
inline request_answer judged_by_lwip(const meeting& m) {
  using enum request_answer;
  if (m.is(flag::rst)) return m.exact() ? forget : m.starts_inside() || m.at_edge() ? challenge : ignore;
  if (m.is(flag::syn)) return m.is_the_isn() ? resend : ignore;
  if (!m.is(flag::ack)) return ignore;
  return m.right_ack ? finish : reset_and_keep;
}
inline listener_answer answered_by_rfc(flags f) {
  if (f.has(flag::rst)) return listener_answer::ignore;
  if (f.has(flag::syn | flag::ack)) return listener_answer::reset;
  if (f.has(flag::ack)) return listener_answer::cookie;
  return f.has(flag::syn) ? listener_answer::gates : listener_answer::ignore;
}

}  // namespace listenq::testing
