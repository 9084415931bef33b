// SPDX-License-Identifier: BSL-1.0
// clamp: how the number that listen() was called with becomes the backlog N that everything else speaks of.
// It does not decide how many connections fit; `waiting` and `sizing` do, from N.
//
// When to use which: `to_somaxconn` for Linux, `negative_to_somaxconn` for FreeBSD, `negative_to_zero` for NetBSD,
// `at_least_80` for OpenBSD, `zero_to_somaxconn` for XNU, `up_to<most, otherwise>` for stacks with a fixed range (lwIP,
// gVisor, Windows NT), `windows_hint` for Windows since 8, `as_is` when there is no limit at all.
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

/// A negative number is 0, a too large one the maximum (NetBSD, solisten).
struct negative_to_zero {
  static constexpr const char* name = "negative_to_zero";
  static constexpr tunable_set tunables{tunable::somaxconn};
  static constexpr std::uint32_t clamp(int requested, const tunable_source auto& t) noexcept {
    return requested < 0 ? 0 : negative_to_somaxconn::clamp(requested, t);
  }
};

/// As `Base` reads it, but never below Least.
template <std::uint32_t Least, clamp_policy Base>
struct never_below {
  static constexpr const char* name = "never_below";
  static constexpr tunable_set tunables = tunables_of<Base>;
  static constexpr std::uint32_t clamp(int requested, const tunable_source auto& t) noexcept {
    const std::uint32_t n = Base::clamp(requested, t);
    return n < Least ? Least : n;
  }
};

/// As FreeBSD, but never below 80 (OpenBSD, solisten, SOMINCONN).
using at_least_80 = never_below<80, negative_to_somaxconn>;

/// At most Most; zero or less is Otherwise. `up_to<255, 1>` is lwIP (lwip_listen and tcp_listen_with_backlog: a byte),
/// `up_to<1024, 8>` gVisor (Listen), `up_to<5, 1>`, `up_to<200, 1>` and `up_to<100, 1>` Windows NT 4 Workstation, NT 4
/// Server and NT 3.5 (KB127144, which is silent about zero).
template <std::uint32_t Most, std::uint32_t Otherwise>
struct up_to {
  static_assert(Otherwise <= Most, "listenq: up_to<most, otherwise> cannot yield more than most.");
  static constexpr const char* name = "up_to";
  static constexpr std::uint32_t clamp(int requested, const tunable_source auto&) noexcept {
    if (requested <= 0) return Otherwise;
    const auto n = static_cast<std::uint32_t>(requested);
    return n < Most ? n : Most;
  }
};

/// Windows since 8: a negative number is SOMAXCONN_HINT, its amount within 200 and 65535; SOMAXCONN (0x7fffffff) is
/// "a reasonable maximum", taken here as 65535; anything else as on NT 4 Server. From the documentation of listen(),
/// not from measurements.
struct windows_hint {
  static constexpr const char* name = "windows_hint";
  static constexpr std::uint32_t clamp(int requested, const tunable_source auto& t) noexcept {
    if (requested == 0x7fffffff) return 65535;
    if (requested >= 0) return up_to<200, 1>::clamp(requested, t);
    const std::uint32_t n = 0U - static_cast<std::uint32_t>(requested);
    return n < 200 ? 200 : n > 65535 ? 65535 : n;
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
