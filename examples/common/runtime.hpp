// SPDX-License-Identifier: BSL-1.0
// What servers need of the operating system beside their transport: clocks, secrets, signals.
#pragma once

#include <csignal>
#include <cstdint>
#include <listenq/policy/hashing.hpp>
#include <listenq/time.hpp>

namespace programs {

/// Microseconds since the first call, and since 1970.
listenq::instant steady_now();
listenq::instant wall_now();

/// From the kernel's random numbers.
listenq::siphash_key fresh_key();

/// SIGINT and SIGTERM end the program, SIGUSR1 asks for its state. They are blocked except during a wait that is given
/// `mask`, so that none gets lost between a look at the flags and the wait.
class signals {
 public:
  signals();
  const sigset_t* mask() const noexcept { return &during_wait_; }
  static bool stop() noexcept;
  /// True once for each time that it was asked.
  static bool state_wanted() noexcept;

 private:
  sigset_t during_wait_;
};

}  // namespace programs
