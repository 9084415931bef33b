// SPDX-License-Identifier: BSL-1.0
// Time as every part of the library speaks it: an integer count of microseconds, always an argument.
// It is not a clock. Nothing here or behind it ever asks what time it is; `chrono.hpp` converts, if you want it to.
#pragma once

#include <cstdint>

namespace listenq {

/// A moment: microseconds since an origin of the caller's choice. It never goes back; an earlier one counts as "no
/// time has passed".
using instant = std::int64_t;

/// A length of time in microseconds.
using duration = std::int64_t;

inline constexpr duration microsecond = 1;
inline constexpr duration millisecond = 1000;
inline constexpr duration second = 1'000'000;

/// Later than anything.
inline constexpr instant never = INT64_MAX;

/// `at + length`, staying at `never` instead of overflowing. Both are at least 0 in any sensible use.
constexpr instant after(instant at, duration length) noexcept { return at > never - length ? never : at + length; }

/// Which of several timers that are due at the same instant goes first.
enum class tie_order : std::uint8_t {
  newest_first,  ///< the one armed last: Linux since 4.8, where a slot of the timer wheel is a stack
  oldest_first,  ///< the one armed first: a cascading wheel, Linux before
};

}  // namespace listenq
