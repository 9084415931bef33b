// SPDX-License-Identifier: BSL-1.0
// What an event log's lines call the values that have no `name_of` of their own, or are looked up by their names. Each
// name stands at the place of its value.
#pragma once

#include <array>
#include <cstddef>
#include <listenq/outcome.hpp>

namespace listenq::testing::detail {

inline constexpr std::array<const char*, 2> log_answers{"no", "yes"};
inline constexpr std::array<const char*, 3> log_sent{"sent", "failed", "later"};
inline constexpr std::array<const char*, 3> log_listened{"ok", "storage_too_small", "no_share"};
inline constexpr std::array<const char*, 4> log_accepted{"ok", "would_block", "aborted", "not_listening"};
inline constexpr std::array<const char*, 3> log_shut{"ok", "no_effect", "not_listening"};
inline constexpr std::array<const char*, 3> log_set{"ok", "not_tunable", "out_of_range"};
inline constexpr std::array<const char*, 3> log_hows{"read", "write", "both"};
inline constexpr std::array<const char*, 3> log_ends{"finished", "reset", "gone"};
inline constexpr std::array<const char*, 8> log_errors{
    "network_unreachable", "host_unreachable", "protocol_unreachable", "port_unreachable",
    "prohibited",          "time_exceeded",    "parameter_problem",    "other"};

inline constexpr std::array<const char*, verdict_count> log_verdicts = [] {
  std::array<const char*, verdict_count> names{};
  for (std::size_t i = 0; i < verdict_count; ++i) names[i] = name_of(static_cast<verdict>(i));
  return names;
}();
inline constexpr std::array<const char*, 5> log_icmp{
    name_of(icmp_verdict::ended), name_of(icmp_verdict::noted), name_of(icmp_verdict::ignored),
    name_of(icmp_verdict::wrong_number), name_of(icmp_verdict::no_request)};

}  // namespace listenq::testing::detail
