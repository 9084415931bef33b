// SPDX-License-Identifier: BSL-1.0
// The pause: once a bucket of the syncache overflows, requests are neither stored nor looked up for a while; every SYN
// gets a cookie, every ACK is tried as one, and a request whose timer fires is dropped. The next pause is twice as long
// if it follows soon enough (FreeBSD 13, syncache_pause and syncache_timer).
//
// It is not a policy of its own: it goes around one that puts a cookie into every ISS. FreeBSD pauses the syncache of
// all listeners at once and drops a whole bucket when its first timer fires; here each listener and each request is
// asked by itself.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/policy/tunables.hpp>
#include <listenq/time.hpp>

namespace listenq {

/// `Cookies` with pauses of `First`, doubled up to `Doublings` times while the next overflow comes within the last
/// pause's length after its end.
template <class Cookies, duration First = 15 * second, unsigned Doublings = 6>
struct pausing : Cookies {
  static_assert(First > 0 && Doublings < 32,
                "listenq: pausing<cookies, first, doublings> needs a first pause above 0.");
  static_assert(Cookies::in_iss,
                "listenq: a pause needs cookies that are in every ISS; use pausing<in_every_iss<...>>.");
  static constexpr const char* name = "pausing";
  static constexpr duration first = First;
  static constexpr unsigned doublings = Doublings;

  /// Are cookies all there is?
  constexpr bool paused(instant now) const noexcept { return now < until_; }
  /// A bucket has overflowed.
  constexpr void overflowed(instant now) noexcept {
    if (paused(now)) return;
    const bool soon = now < after(until_, First << backoff_);
    if (!soon) {
      backoff_ = 0;
    } else if (backoff_ < Doublings) {
      ++backoff_;
    }
    until_ = after(now, First << backoff_);
  }
  constexpr void reset() noexcept {
    Cookies::reset();
    until_ = -never;
    backoff_ = 0;
  }

 private:
  instant until_ = -never;
  unsigned backoff_ = 0;
};

/// Does this policy pause?
template <class P>
concept pauses = requires(P& p, const P& c, instant now) {
  { c.paused(now) } -> std::same_as<bool>;
  p.overflowed(now);
};

}  // namespace listenq
