// SPDX-License-Identifier: BSL-1.0
// The one timer of a connection: when to probe, repeat or give up, from round trips and a kernel's profile.
// A number and its arithmetic (RFC 6298 as Linux computes it): it calls nobody and reads no clock.
#pragma once

#include <algorithm>
#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/stream/profile.hpp>
#include <listenq/time.hpp>

namespace listenq {

/// What the timer is for.
enum class repeat_reason : unsigned char {
  off,
  probe,    ///< tail loss probe: the last segment again, before the first timeout
  repeat,   ///< timeout: the first segment again
  window,   ///< the peer's window is closed: ask
  syn_ack,  ///< a fast-open child's SYN-ACK again
  linger,   ///< the end of TIME-WAIT, or of an abandoned FIN-WAIT-2
};

class repeat_timer {
 public:
  constexpr explicit repeat_timer(const kernel_profile& profile) noexcept
      : rto_min_(profile.rto_min),
        jiffy_(profile.jiffy),
        max_(profile.timeout_max),
        retries_(profile.data_retries),
        probes_(profile.tail_loss_probe) {}

  constexpr repeat_reason reason() const noexcept { return reason_; }
  constexpr instant deadline() const noexcept { return deadline_; }
  constexpr bool due(instant now) const noexcept { return reason_ != repeat_reason::off && now >= deadline_; }
  constexpr void stop() noexcept { reason_ = repeat_reason::off; }
  constexpr void arm(repeat_reason why, instant now, duration length) noexcept {
    reason_ = why;
    deadline_ = after(now, length);
  }

  /// Something new is in flight, or less than before: first a probe if the profile has it, else a timeout. A probe for
  /// more than one segment (not `alone`) need not wait for the peer's delayed ACK: two round trips and 10 ms
  /// (Linux 3.10, tcp_schedule_loss_probe), as soon as one has been measured.
  constexpr void arm_flight(instant now, bool alone) noexcept {
    const duration soon = 2 * srtt_ + 10 * millisecond;
    if (!probes_) return arm(repeat_reason::repeat, now, interval());
    arm(repeat_reason::probe, now, alone || !measured_ ? interval() : std::min(soon, interval()));
  }
  constexpr void arm_window(instant now) noexcept { arm(repeat_reason::window, now, interval()); }
  constexpr void arm_repeat(instant now) noexcept { arm(repeat_reason::repeat, now, interval()); }

  /// The smoothed round trip plus at least `rto_min` in whole jiffies, doubled by each timeout.
  constexpr duration interval() const noexcept {
    const duration first = (srtt_ + std::max(rto_min_, 4 * rttvar_) + jiffy_ - 1) / jiffy_ * jiffy_;
    return kernel_profile::doubled(first, timeouts_, max_);
  }

  constexpr bool exhausted() const noexcept { return timeouts_ >= retries_; }
  constexpr void timed_out() noexcept { ++timeouts_; }
  /// There were timeouts since the peer's last answer.
  constexpr bool backed_off() const noexcept { return timeouts_ > 0; }
  /// The peer answered: back to the first interval.
  constexpr void answered() noexcept { timeouts_ = 0; }

  /// A segment that begins at `seq` left now: time it, if none is being timed.
  constexpr void departed(seq_number seq, instant now) noexcept {
    if (timing_) return;
    timing_ = true;
    timed_ = seq;
    timed_at_ = now;
  }
  /// Something was repeated: what comes back measures nothing (Karn, RFC 6298 3).
  constexpr void repeated() noexcept { timing_ = false; }
  constexpr void acknowledged(seq_number ack, instant now) noexcept {
    if (!timing_ || !seq_after(ack, timed_)) return;
    timing_ = false;
    sample(now - timed_at_);
  }
  /// One measured round trip.
  constexpr void sample(duration rtt) noexcept {
    if (!measured_) {
      measured_ = true;
      srtt_ = rtt;
      rttvar_ = rtt / 2;
      return;
    }
    const duration error = std::max(rtt - srtt_, srtt_ - rtt);
    rttvar_ += (error - rttvar_) / 4;
    srtt_ += (rtt - srtt_) / 8;
  }

 private:
  duration rto_min_;
  duration jiffy_;
  duration max_;
  duration srtt_ = 0;
  duration rttvar_ = 0;
  instant deadline_ = never;
  instant timed_at_{};
  seq_number timed_{};
  unsigned retries_;
  unsigned timeouts_ = 0;
  repeat_reason reason_ = repeat_reason::off;
  bool probes_;
  bool timing_ = false;
  bool measured_ = false;
};

}  // namespace listenq
