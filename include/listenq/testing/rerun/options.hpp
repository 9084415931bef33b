// SPDX-License-Identifier: BSL-1.0
// What a re-run can be told: the backlog and the tunables, when the application accepts, whether clients try again, and
// who is shown each step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <listenq/outcome.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/segment.hpp>
#include <listenq/testing/event_log.hpp>
#include <listenq/time.hpp>
#include <optional>

namespace listenq::testing {

/// When the application accepts.
struct accept_model {
  enum class kind : std::uint8_t {
    recorded,  ///< when the log says so; always, if it never does
    always,    ///< at once
    never,
    from,      ///< from `time` on, all at once
    every,     ///< one connection every `time`
    observed,  ///< when the server's first bytes to a client are in the log, all that finished before it, too
  };
  kind when = kind::recorded;
  duration time = 0;
};

/// How full the queues are.
struct queue_lengths_now {
  std::uint32_t requests = 0;
  std::uint32_t young = 0;
  std::uint32_t waiting = 0;
};

/// One segment that the listener was given.
struct rerun_step {
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  std::size_t entry = none;  ///< of the log; none: a client said it that the log has no such word of
  instant at = 0;
  listenq::segment segment{};
  listenq::outcome outcome{};
  queue_lengths_now before{};
  queue_lengths_now after{};
};

struct rerun_options {
  std::optional<int> backlog{};  ///< instead of the log's own; 128 where it has none
  tunable_set kept{};            ///< tunables that the log's `set` does not change
  accept_model accept{};
  bool persistent = true;
  /// How long before the first entry it listens, where the log does not say: a sweep's hand goes round from then on.
  duration head_start = 0;
  std::function<void(const rerun_step&)> step{};
  std::function<void(const log_entry&)> log{};  ///< the re-run as a log of its own
};

}  // namespace listenq::testing
