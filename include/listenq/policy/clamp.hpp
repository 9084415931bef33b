// SPDX-License-Identifier: BSL-1.0
// clamp: how the number that listen() was called with becomes the backlog N that everything else speaks of.
// It does not decide how many connections fit; `waiting` and `sizing` do, from N.
//
// When to use which: `to_somaxconn` for Linux, `negative_to_somaxconn` for FreeBSD, `at_least_80` for OpenBSD,
// `zero_to_somaxconn` for XNU, `as_is` when there is no system-wide limit.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/policy/tunables.hpp>

namespace listenq {

/// Reads listen()'s argument. `clamp(requested, tunables)` yields N; every int has an answer.
template <class P>
concept clamp_policy = requires(int requested, const any_tunables& t) {
  { P::clamp(requested, t) } -> std::same_as<std::uint32_t>;
};

/// As unsigned, at most somaxconn, so a negative number is the maximum (Linux, net/socket.c, listen).
struct to_somaxconn {
  static constexpr const char* name = "to_somaxconn";
  static constexpr tunable_set tunables{tunable::somaxconn};
  static constexpr std::uint32_t clamp(int requested, const tunable_source auto& t) noexcept {
    const auto n = static_cast<std::uint32_t>(requested);
    return n > t[tunable::somaxconn] ? t[tunable::somaxconn] : n;
  }
};

/// A negative or too large number is the maximum (FreeBSD 13, solisten_proto). The same numbers as `to_somaxconn` for
/// every limit below 2^31; kept apart because the rule is stated otherwise there.
struct negative_to_somaxconn {
  static constexpr const char* name = "negative_to_somaxconn";
  static constexpr tunable_set tunables{tunable::somaxconn};
  static constexpr std::uint32_t clamp(int requested, const tunable_source auto& t) noexcept {
    const std::uint32_t most = t[tunable::somaxconn];
    return requested < 0 || static_cast<std::uint32_t>(requested) > most ? most : static_cast<std::uint32_t>(requested);
  }
};

/// Zero, too, is the maximum (XNU, solisten).
struct zero_to_somaxconn {
  static constexpr const char* name = "zero_to_somaxconn";
  static constexpr tunable_set tunables{tunable::somaxconn};
  static constexpr std::uint32_t clamp(int requested, const tunable_source auto& t) noexcept {
    return requested == 0 ? t[tunable::somaxconn] : negative_to_somaxconn::clamp(requested, t);
  }
};

/// As FreeBSD, but never below 80 (OpenBSD, solisten, SOMINCONN).
struct at_least_80 {
  static constexpr const char* name = "at_least_80";
  static constexpr tunable_set tunables{tunable::somaxconn};
  static constexpr std::uint32_t clamp(int requested, const tunable_source auto& t) noexcept {
    const std::uint32_t n = negative_to_somaxconn::clamp(requested, t);
    return n < 80 ? 80 : n;
  }
};

/// Unlimited; a negative number is 0.
struct as_is {
  static constexpr const char* name = "as_is";
  static constexpr std::uint32_t clamp(int requested, const tunable_source auto&) noexcept {
    return requested < 0 ? 0 : static_cast<std::uint32_t>(requested);
  }
};

using default_clamp = to_somaxconn;

namespace slot {
struct clamp {
  static constexpr const char* name = "clamp";
};
}  // namespace slot
/// Keyword: how listen()'s number is read.
template <clamp_policy P = default_clamp>
struct clamp {
  using slot = listenq::slot::clamp;
  using policy = P;
};

}  // namespace listenq
