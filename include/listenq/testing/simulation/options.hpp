// SPDX-License-Identifier: BSL-1.0
// What a simulation is asked, and what it answers.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <listenq/outcome.hpp>
#include <listenq/testing/event_log.hpp>
#include <listenq/testing/hostility.hpp>
#include <listenq/testing/invariants.hpp>
#include <listenq/time.hpp>
#include <optional>

namespace listenq::testing {

struct simulation_options {
  std::uint64_t seed = 1;
  duration length = never;             ///< virtual time, then the end begins
  std::uint64_t events = 1'000'000;    ///< deliveries and timers, then the end begins, too
  std::optional<hostility> against{};  ///< instead of the mix that the seed draws
  std::uint64_t check_every = 4096;    ///< events between two looks at the whole state
  expectations expected{};             ///< of the state
  /// Is told all that the listener is asked and answers, so that the run can be replayed: see event_log.hpp. Not of
  /// hand-overs.
  std::function<void(const log_entry&)> log{};
};

struct simulation_report {
  hostility against{};
  std::uint64_t events = 0;
  instant time = 0;                                     ///< of the network, at the end
  std::array<std::uint64_t, verdict_count> verdicts{};  ///< segments that the listener has seen, by what became of them
  std::uint64_t attempts = 0;                           ///< of honest hosts
  std::uint64_t connected = 0;                          ///< attempts that the host believes to have succeeded
  std::uint64_t served = 0;                             ///< and that the application has accepted
  std::uint64_t refused = 0;                            ///< that met a RST before they were connected
  std::optional<invariant> broken{};                    ///< the first that was, and after how many events
  std::uint64_t broken_at = 0;
  std::uint64_t digest = 0;  ///< of every segment and verdict: equal runs, equal digests
  std::uint32_t most_requests = 0;
};

}  // namespace listenq::testing
