// SPDX-License-Identifier: BSL-1.0
// What became of a log in a re-run, in numbers. What became of each segment is told step by step (options.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/outcome.hpp>
#include <listenq/time.hpp>

namespace listenq::testing {

struct rerun_report {
  std::uint64_t segments = 0;        ///< that the listener was given
  std::uint64_t to_connections = 0;  ///< that went to a connection
  std::uint64_t withheld = 0;        ///< of the log, that nobody would have sent here
  std::uint64_t added = 0;           ///< that the log does not have
  std::uint64_t untranslated = 0;    ///< acknowledge something that the log does not have
  std::array<std::uint64_t, verdict_count> verdicts{};
  std::uint64_t syn_acks = 0;  ///< sent, those of timers included
  std::uint64_t resets = 0;
  std::uint64_t timed_out = 0;  ///< requests that ended by a timer
  std::uint64_t connections = 0;
  std::uint64_t accepted = 0;
  std::uint64_t honest = 0;       ///< attempts that were finished in the log
  std::uint64_t honest_lost = 0;  ///< of these, that were not finished here
  std::uint64_t syns = 0;         ///< of the log, that the listener was given
  std::uint64_t syns_alike = 0;   ///< of these, answered here as there: with a SYN-ACK, or without
  std::uint32_t most_requests = 0;
  std::uint32_t most_waiting = 0;
  duration length = 0;

  std::uint64_t of(verdict v) const noexcept { return verdicts[static_cast<std::size_t>(v)]; }
};

}  // namespace listenq::testing
