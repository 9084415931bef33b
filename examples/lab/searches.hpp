// SPDX-License-Identifier: BSL-1.0
// What the lab alone asks of a preset: to be searched for what can go wrong. It takes long to compile, so it is apart
// from what the parts know of a preset.
#pragma once

#include <listenq/testing/explore.hpp>
#include <listenq/testing/simulation.hpp>

#include "presets.hpp"

namespace lab {

struct preset_searches {
  /// All that can happen in a small world. A syncache is made small, too: two buckets of two; and where the number of
  /// repeated SYN-ACKs is fixed, it is one at most.
  listenq::testing::exploration (*explore)(const tunable_values_set&, listenq::testing::explore_options);
  /// One run against thousands of hosts.
  listenq::testing::simulation_report (*simulate)(listenq::testing::simulation_options);
};
template <class L>
preset_searches searches_for();

/// Those of one of `all_presets()`.
const preset_searches& searches_of(const preset_entry& p);

}  // namespace lab
