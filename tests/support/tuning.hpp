// SPDX-License-Identifier: BSL-1.0
// Tunables for tests of single policies: all of them, at Linux 6.18's defaults, with some set otherwise.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <listenq/policy/tunables.hpp>

namespace listenq::test {

using every_tunable = tunable_values<tunable_set{tunable::somaxconn, tunable::max_syn_backlog, tunable::syncookies,
                                                 tunable::abort_on_overflow, tunable::synack_retries,
                                                 tunable::defer_accept, tunable::fastopen, tunable::fastopen_qlen},
                                     defaults<>>;

struct setting {
  tunable which;
  std::uint32_t value;
};

constexpr every_tunable tuning(std::initializer_list<setting> settings) {
  every_tunable t;
  for (const setting& s : settings) t.assign(s.which, s.value);
  return t;
}

}  // namespace listenq::test
