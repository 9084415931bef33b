// SPDX-License-Identifier: BSL-1.0
// How the endpoint of one kernel behaves in time: when it resends, when it gives up, what it offers.
// It is not a preset of the listener (those live in preset/); it describes the other side of the experiments, and the
// child sockets behind a listener. Every value is Linux's default, readable as a number and changeable by assignment.
#pragma once

#include <algorithm>
#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/time.hpp>

namespace listenq {

/// One kernel's endpoint. An aggregate: copy one and change what you need. Durations are microseconds.
struct kernel_profile {
  const char* name = "";

  duration syn_timeout = second;        ///< from the first SYN to its first repetition
  unsigned syn_linear = 0;              ///< repetitions at that distance before it starts to double
  unsigned syn_ack_retries = 5;         ///< of a fast-open child, which has one more (tcp_fastopen_synack_timer)
  unsigned syn_retries = 6;             ///< repetitions in all; one more timeout is ETIMEDOUT
  duration timeout_max = 120 * second;  ///< no interval, of a SYN or of data, grows beyond

  duration rto_min = 200 * millisecond;  ///< added to the smoothed round trip: the first interval for data
  duration jiffy = microsecond;          ///< that sum is rounded up to a multiple of it before it doubles
  bool tail_loss_probe = true;           ///< one probe an interval before the first timeout (Linux 3.10)
  unsigned data_retries = 15;            ///< timeouts without progress; one more is ETIMEDOUT (tcp_retries2)

  std::uint16_t window = 64240;  ///< of a SYN, and of a SYN-ACK without timestamps; also the receive buffer, bytes
  std::uint16_t window_with_timestamps = 65160;  ///< of a SYN-ACK with timestamps (45 x 1448)
  tcp_options offer{};                           ///< of a SYN; `ts_value` is filled in when it is sent

  bool challenge_acks = true;    ///< RFC 5961: an inexact RST and a SYN get an ACK (Linux 3.6); otherwise RFC 793
  duration invalid_ack_gap = 0;  ///< least time between two answers to invalid segments; 0 = no limit (before 4.0)

  tie_order order = tie_order::newest_first;  ///< of timers due at the same instant

  /// The time from SYN number `sent` - 1 to the next SYN or, after the last, to ETIMEDOUT. `sent` counts the SYNs sent
  /// so far and is at least 1.
  constexpr duration syn_interval(unsigned sent) const noexcept {
    return doubled(syn_timeout, sent - std::min(sent, syn_linear + 1));
  }

  /// `interval` doubled `times` times, at most `timeout_max`. O(log(timeout_max / interval)).
  constexpr duration doubled(duration interval, unsigned times) const noexcept {
    return doubled(interval, times, timeout_max);
  }
  static constexpr duration doubled(duration interval, unsigned times, duration most) noexcept {
    while (times-- > 0 && interval < most) interval *= 2;
    return std::min(interval, most);
  }
};

/// The kernels of the two articles and of golden/. (`listenq::linux_6_18` without `profile::` is the listener's
/// preset.)
namespace profile {

/// Linux 2.6.32 over loopback: SYNs at 0, 3, 9, 21, 45, 93 s, ETIMEDOUT at 189 s; data again at 0.2, 0.6, 1.4, 3.0 s.
inline constexpr kernel_profile linux_2_6_32{
    .name = "linux_2_6_32",
    .syn_timeout = 3 * second,
    .syn_retries = 5,
    .tail_loss_probe = false,
    .window = 32792,
    .window_with_timestamps = 32792,
    .offer = {.mss = 16396, .window_scale = 6, .sack_permitted = true, .timestamps = true},
    .challenge_acks = false,
    .order = tie_order::oldest_first,
};

/// Linux 3.12 over loopback: SYNs at 0, 1, 3, 7, 15, 31, 63 s, ETIMEDOUT at 127 s; data again at 0.2 (the probe), 0.4,
/// 0.8, 1.6 s.
inline constexpr kernel_profile linux_3_12{
    .name = "linux_3_12",
    .window = 32792,
    .window_with_timestamps = 32792,
    .offer = {.mss = 16396, .window_scale = 6, .sack_permitted = true, .timestamps = true},
    .order = tie_order::oldest_first,
};

/// Linux 6.18 as recorded in golden/: SYNs at 0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67 s (tcp_syn_linear_timeouts 4),
/// ETIMEDOUT at 131 s; data as in 3.12 with HZ=250, so again at 0.204 (the probe), 0.408, 0.816, 1.632 s; one answer to
/// invalid segments per 500 ms (tcp_invalid_ratelimit).
inline constexpr kernel_profile linux_6_18{
    .name = "linux_6_18",
    .syn_linear = 4,
    .syn_retries = 10,
    .jiffy = 4 * millisecond,
    .offer = {.mss = 1460, .window_scale = 10, .sack_permitted = true, .timestamps = true},
    .invalid_ack_gap = 500 * millisecond,
};

}  // namespace profile

}  // namespace listenq
