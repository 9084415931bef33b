// SPDX-License-Identifier: BSL-1.0
// validation: what a segment gets that is not simply a new SYN: at its request (duplicate SYN, wrong number, RST, final
// ACK) and at a listener that knows no request of its sender (stray ACK, FIN, no flags). It judges; it neither sends
// nor counts, and it does not know whether a connection could be queued.
//
// When to use which: `linux_validation<era>` in the order of that kernel's tcp_check_req; `freebsd_validation`,
// `netbsd_validation`, `openbsd_validation` (bsd_validation.hpp) for the syncaches; `rfc793_validation`,
// `rfc9293_validation`, `rfc5961_validation` (rfc_validation.hpp) for stacks whose requests are whole connections.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/policy/linux_era.hpp>
#include <listenq/segment.hpp>

namespace listenq {

/// What may be looked at. The window is the one that our SYN-ACK offered: it begins right after the peer's ISN.
struct request_facts {
  listenq::flags flags{};
  bool at_isn = false;            ///< the sequence number is the peer's ISN
  bool exact = false;             ///< the sequence number is the very next one
  bool in_window = false;         ///< the segment touches the window; an empty one at its right edge does
  bool starts_in_window = false;  ///< the sequence number is in the window, of which the right edge is no part
  bool at_right_edge = false;     ///< the sequence number is the first one after the window
  bool ack_right = false;         ///< it has ACK and acknowledges our SYN-ACK
  bool old_timestamp = false;     ///< PAWS would reject it
  bool no_timestamp = false;      ///< timestamps were agreed on, and it has none
  bool bad_echo = false;          ///< it echoes a timestamp that no SYN-ACK of this request carried
};

enum class request_answer : std::uint8_t {
  resend,            ///< SYN-ACK again
  reset_and_keep,    ///< RST, the request stays
  ack,               ///< bare ACK (a RST gets nothing), the request stays
  challenge,         ///< bare ACK to a RST or a SYN that may be forged, the request stays
  forget,            ///< the request goes, nothing is said
  forget_and_reset,  ///< the request goes, RST
  ignore,
  finish,  ///< this is the ACK that finishes the handshake
};

/// What a segment gets at a listener that has no request for it.
enum class listener_answer : std::uint8_t {
  gates,   ///< it wants to open a connection: `admission` is asked
  cookie,  ///< it may bring a cookie back; else RST
  reset,   ///< RST
  ignore,
};

/// What a SYN-ACK that is sent again for a SYN does to the timer.
enum class restart : std::uint8_t {
  nothing,
  timer,     ///< the current timeout starts anew
  schedule,  ///< the first timeout starts: as if there had been none
};

/// What a SYN with timestamps of its own does to the one that we echo.
enum class echo_rule : std::uint8_t {
  keep,             ///< the first SYN's is echoed
  refresh,          ///< the later one's is
  refresh_or_drop,  ///< and a later SYN without timestamps ends them
};

/// How a duplicate SYN is dealt with, where `judge` says `resend`.
struct duplicate_rules {
  restart restarts = restart::nothing;
  echo_rule echo = echo_rule::keep;
  bool may_end_ecn = false;  ///< a later SYN that does not ask for ECN ends it
  bool dies_unsent = false;  ///< a SYN-ACK that cannot leave takes the request with it
  friend constexpr bool operator==(const duplicate_rules&, const duplicate_rules&) = default;
};

/// `judge(facts)` and `at_listener(flags)` are pure. `duplicate`: see above. `rate_limit`: least time between two
/// answers to one request, 0 for none. `late_timestamps`: an ACK in the window updates the timestamp that we echo even
/// if it does not finish the handshake. `checks_echo`: `bad_echo` matters.
template <class P>
concept validation_policy = requires(const request_facts& f, flags s) {
  { P::judge(f) } -> std::same_as<request_answer>;
  { P::at_listener(s) } -> std::same_as<listener_answer>;
  { P::duplicate } -> std::convertible_to<duplicate_rules>;
  { P::rate_limit } -> std::convertible_to<duration>;
  { P::late_timestamps } -> std::convertible_to<bool>;
  { P::checks_echo } -> std::convertible_to<bool>;
};

/// Has a bare ACK a timestamp where that would echo 0? A model that says nothing follows RFC 7323 3.2: yes.
template <class P>
inline constexpr bool echoes_zero = [] {
  if constexpr (requires { P::echoes_zero; }) {
    return P::echoes_zero;
  } else {
    return true;
  }
}();

/// Is an ACK with a wrong number, at a request, still tried as a cookie? A model that says nothing: no.
template <class P>
inline constexpr bool tries_cookie = [] {
  if constexpr (requires { P::tries_cookie; }) {
    return P::tries_cookie;
  } else {
    return false;
  }
}();

/// Linux, tcp_check_req of the era; for 6.18 with the answers to RST as recorded from 6.18.44.
template <linux_era Era>
struct linux_validation {
  static constexpr const char* name = "linux_validation";
  static constexpr linux_era era = Era;
  static constexpr duplicate_rules duplicate{.restarts = Era == linux_era::v2_6_32 ? restart::nothing : restart::timer};
  static constexpr duration rate_limit = Era >= linux_era::v4_4 ? 500 * millisecond : 0;
  static constexpr bool late_timestamps = Era != linux_era::v6_18;
  static constexpr bool checks_echo = Era == linux_era::v6_18;
  static constexpr bool echoes_zero = false;                     // tcp_v4_send_ack
  static constexpr bool tries_cookie = Era == linux_era::v6_18;  // tcp_v4_rcv hands it to the listener

  static constexpr request_answer judge(const request_facts& f) noexcept {
    constexpr bool exact_rst = Era == linux_era::v6_18;
    const bool rst = f.flags.has(flag::rst);
    const bool bad_echo = checks_echo && f.bad_echo;
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

  /// tcp_rcv_state_process in LISTEN: 2.6.32 takes a SYN with FIN.
  static constexpr listener_answer at_listener(flags s) noexcept {
    if (s.has(flag::rst)) return listener_answer::ignore;
    if (s.has(flag::ack)) return s.has(flag::syn) ? listener_answer::reset : listener_answer::cookie;
    const bool opens = s.has(flag::syn) && (Era == linux_era::v2_6_32 || !s.has(flag::fin));
    return opens ? listener_answer::gates : listener_answer::ignore;
  }
};

using default_validation = linux_validation<linux_era::v6_18>;

namespace slot {
struct validation {
  static constexpr const char* name = "validation";
};
}  // namespace slot
/// Keyword: what a segment gets that is not simply a new SYN.
template <validation_policy P = default_validation>
struct validation {
  using slot = listenq::slot::validation;
  using policy = P;
};

}  // namespace listenq
