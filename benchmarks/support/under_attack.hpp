// SPDX-License-Identifier: BSL-1.0
// One cell of the policy x attack matrix: a run of the simulation in virtual time, and the same inputs again with a
// watch on the CPU. Everything but the nanoseconds is the same for the same seed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <listenq/testing/attacks.hpp>
#include <listenq/testing/simulation.hpp>
#include <memory>
#include <vector>

#include "any_door.hpp"
#include "tables.hpp"

namespace bench {

struct survival {
  std::uint64_t attempts = 0;  ///< of honest hosts
  std::uint64_t served = 0;
  std::uint64_t syns = 0;  ///< anybody's
  std::uint64_t segments = 0;
  std::uint64_t digest = 0;
  std::size_t most_bytes = 0;  ///< of requests and waiting connections
  double ns = 0;               ///< CPU of the listener, for all of it: the least of several times
  bool same_again = false;     ///< the inputs played again ended as they did

  /// Another run.
  survival& operator+=(const survival& s) {
    attempts += s.attempts;
    served += s.served;
    syns += s.syns;
    segments += s.segments;
    ns += s.ns;
    most_bytes = std::max(most_bytes, s.most_bytes);
    return *this;
  }
  double served_percent() const {
    return attempts == 0 ? 0 : 100.0 * static_cast<double>(served) / static_cast<double>(attempts);
  }
  double ns_per_syn() const { return syns == 0 ? 0 : ns / static_cast<double>(syns); }
};

/// `door` has not listened yet and is as `prepare` leaves it; it is used up.
template <class Prepare>
survival under_attack(any_door& door, const testing::attack& a, duration length, int backlog, std::uint64_t seed,
                      int times, Prepare prepare) {
  testing::simulation_options o;
  o.seed = seed;
  o.against = testing::mix_of(a, backlog);
  o.length = length;
  o.events = o.check_every = ~std::uint64_t{0};
  std::vector<testing::log_entry> inputs;
  o.log = [&inputs](const testing::log_entry& e) {
    if (!e.is_output()) inputs.push_back(e);
  };
  prepare(door);
  const testing::simulation_report r = testing::simulation<held_door>{held_door{door}, o}.run();
  survival s{.attempts = r.attempts, .served = r.served, .digest = r.digest};
  const auto fresh = [&] {
    auto another = door.another();
    prepare(*another);
    return another;
  };
  const played p = fresh()->watch(inputs);
  s.syns = p.syns;
  s.segments = p.segments;
  s.most_bytes = p.most_bytes;
  s.same_again = p.verdicts == r.verdicts;
  for (int i = 0; i < times; ++i) {
    const auto one = fresh();
    const double before = cpu_ns();
    one->play(inputs);
    const double took = cpu_ns() - before;
    s.ns = i == 0 ? took : std::min(s.ns, took);
  }
  return s;
}

}  // namespace bench
