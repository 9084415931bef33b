// SPDX-License-Identifier: BSL-1.0
// deferral: is a bare ACK enough to finish a handshake, or must data come first? It also decides, because the two
// belong together, whether a timeout sends the SYN-ACK again and whether it ends the request.
//
// When to use which: `defer_accept` where TCP_DEFER_ACCEPT exists; `await_data` where an accept filter for data does
// (FreeBSD, NetBSD); `no_deferral` elsewhere.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/policy/tunables.hpp>
#include <listenq/time.hpp>

namespace listenq {

struct timeout_facts {
  std::uint32_t timeouts = 0;   ///< how many have passed before this one
  std::uint32_t threshold = 0;  ///< how many may pass (`schedule`, shortened by `pressure`)
  bool acked = false;           ///< its ACK has been seen
};

struct timeout_answer {
  bool expire = false;  ///< forget the request
  bool resend = true;   ///< send the SYN-ACK again
};

/// `waits(timeouts, tunables)`: is a bare ACK to be remembered and ignored? `at_timeout(facts, tunables)`.
template <class P>
concept deferral_policy = requires(std::uint32_t n, const timeout_facts& f, const any_tunables& t) {
  { P::waits(n, t) } -> std::same_as<bool>;
  { P::at_timeout(f, t) } -> std::same_as<timeout_answer>;
};

/// A bare ACK is enough.
struct no_deferral {
  static constexpr const char* name = "no_deferral";
  static constexpr bool waits(std::uint32_t, const tunable_source auto&) noexcept { return false; }
  static constexpr timeout_answer at_timeout(const timeout_facts& f, const tunable_source auto&) noexcept {
    return {.expire = f.timeouts >= f.threshold, .resend = true};
  }
};

/// FreeBSD's accf_data, as far as it is the listener's: the handshake that data or a FIN finishes appears in accept(),
/// one that only an ACK has answered does not, however long it waits, and its SYN-ACK is not sent again. It waits as a
/// request, where FreeBSD has a connection on a queue of its own (at most N + 1, then the oldest is aborted): here it
/// counts among the requests, and what makes room among those takes it. accf_http is no listener's matter: it has to
/// keep bytes, and a request has none. A stack does it by calling accept() only for connections that it has found
/// ready.
struct await_data {
  static constexpr const char* name = "await_data";
  static constexpr bool waits(std::uint32_t, const tunable_source auto&) noexcept { return true; }
  static constexpr timeout_answer at_timeout(const timeout_facts& f, const tunable_source auto& t) noexcept {
    if (f.acked) return {.expire = false, .resend = false};
    return no_deferral::at_timeout(f, t);
  }
};

/// TCP_DEFER_ACCEPT: bare ACKs are ignored for the tuned number of seconds, rounded up to whole timeouts; one SYN-ACK
/// at the end provokes an ACK that counts (Linux, tcp_check_req, syn_ack_recalc, secs_to_retrans). 0 seconds is off.
template <duration Initial = 1 * second, duration Cap = 120 * second>
struct defer_accept {
  static constexpr const char* name = "defer_accept";
  static constexpr tunable_set tunables{tunable::defer_accept};
  /// The timeouts that cover this many seconds, at most 255.
  static constexpr std::uint32_t periods(std::uint32_t seconds) noexcept {
    if (seconds == 0) return 0;
    std::uint32_t n = 1;
    duration step = Initial;
    for (duration covered = step; covered < duration{seconds} * second && n < 255; ++n) {
      step = step * 2 < Cap ? step * 2 : Cap;
      covered += step;
    }
    return n;
  }
  [[gnu::always_inline]] static constexpr bool waits(std::uint32_t timeouts, const tunable_source auto& t) noexcept {
    const std::uint32_t seconds = t[tunable::defer_accept];
    if (seconds == 0) [[likely]]
      return false;
    return timeouts < periods(seconds);
  }
  static constexpr timeout_answer at_timeout(const timeout_facts& f, const tunable_source auto& t) noexcept {
    const std::uint32_t d = periods(t[tunable::defer_accept]);
    return {.expire = f.timeouts >= f.threshold && (!f.acked || f.timeouts >= d),
            .resend = !f.acked || f.timeouts + 1 >= d};
  }
};

using default_deferral = no_deferral;

namespace slot {
struct deferral {
  static constexpr const char* name = "deferral";
};
}  // namespace slot
/// Keyword: is a bare ACK enough?
template <deferral_policy P = default_deferral>
struct deferral {
  using slot = listenq::slot::deferral;
  using policy = P;
};

}  // namespace listenq
