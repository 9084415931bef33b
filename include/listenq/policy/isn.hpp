// SPDX-License-Identifier: BSL-1.0
// isn: which initial sequence number a SYN-ACK carries. It is not asked for cookies, which are their own ISN, nor for a
// SYN whose ISN a TIME-WAIT has chosen.
//
// When to use which: `rfc6528` always; `fixed_isn` in tests that want to read the numbers.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/segment.hpp>

namespace listenq {

/// `isn(hash, now)`: the number, at a moment that is not before 0, for a four-tuple whose keyed hash has this upper
/// half.
template <class P>
concept isn_policy = requires(std::uint32_t hash, instant now) {
  { P::isn(hash, now) } -> std::same_as<seq_number>;
};

/// ISN = M + F(four-tuple, secret), M a clock of 4 us a step (RFC 6528 3).
struct rfc6528 {
  static constexpr const char* name = "rfc6528";
  static constexpr seq_number isn(std::uint32_t hash, instant now) noexcept {
    return hash + static_cast<seq_number>(static_cast<std::uint64_t>(now) / 4);
  }
};

/// Always the same number: for tests, never for a network.
template <seq_number Value>
struct fixed_isn {
  static constexpr const char* name = "fixed_isn";
  static constexpr seq_number isn(std::uint32_t, instant) noexcept { return Value; }
};

using default_isn = rfc6528;

namespace slot {
struct isn {
  static constexpr const char* name = "isn";
};
}  // namespace slot
/// Keyword: the initial sequence number.
template <isn_policy P = default_isn>
struct isn {
  using slot = listenq::slot::isn;
  using policy = P;
};

}  // namespace listenq
