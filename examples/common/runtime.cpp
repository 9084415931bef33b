// SPDX-License-Identifier: BSL-1.0
#include "runtime.hpp"

#include <chrono>
#include <random>

namespace programs {

namespace {

volatile std::sig_atomic_t stopped = 0;
volatile std::sig_atomic_t asked = 0;

extern "C" void on_stop(int) { stopped = 1; }
extern "C" void on_ask(int) { asked = 1; }

template <class Clock>
listenq::instant since_epoch() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch()).count();
}

}  // namespace

listenq::instant steady_now() {
  static const listenq::instant start = since_epoch<std::chrono::steady_clock>();
  return since_epoch<std::chrono::steady_clock>() - start;
}

listenq::instant wall_now() { return since_epoch<std::chrono::system_clock>(); }

listenq::siphash_key fresh_key() {
  std::random_device random;
  const auto half = [&random] { return std::uint64_t{random()} << 32 | random(); };
  return {half(), half()};
}

signals::signals() {
  sigset_t ours;
  sigemptyset(&ours);
  for (const int s : {SIGINT, SIGTERM, SIGUSR1}) {
    sigaddset(&ours, s);
    struct sigaction action {};
    action.sa_handler = s == SIGUSR1 ? on_ask : on_stop;
    sigaction(s, &action, nullptr);
  }
  sigprocmask(SIG_BLOCK, &ours, &during_wait_);
}

bool signals::stop() noexcept { return stopped != 0; }

bool signals::state_wanted() noexcept {
  const bool yes = asked != 0;
  asked = 0;
  return yes;
}

}  // namespace programs
