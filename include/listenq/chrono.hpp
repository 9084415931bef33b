// SPDX-License-Identifier: BSL-1.0
// Conversions between the library's integer microseconds and std::chrono. Opt-in: <chrono> costs more to compile than
// the whole core.
#pragma once

#include <chrono>
#include <listenq/time.hpp>

namespace listenq {

/// A length of time, rounded towards zero to whole microseconds.
template <class Rep, class Period>
constexpr duration to_duration(std::chrono::duration<Rep, Period> d) noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}

/// A moment of some clock, counted from that clock's epoch.
template <class Clock, class Duration>
constexpr instant to_instant(std::chrono::time_point<Clock, Duration> t) noexcept {
  return to_duration(t.time_since_epoch());
}

constexpr std::chrono::microseconds to_chrono(duration d) noexcept { return std::chrono::microseconds{d}; }

}  // namespace listenq
