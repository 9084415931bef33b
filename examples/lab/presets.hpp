// SPDX-License-Identifier: BSL-1.0
// The presets that the lab knows, by name, with everything it needs to run one: its stack, its tunables, its limits and
// the kernels at both ends. To add one: a file like preset_linux_3_12.cpp and a line in presets.cpp.
#pragma once

#include <cstdint>
#include <listenq/describe.hpp>
#include <listenq/explain.hpp>
#include <listenq/testing/explore.hpp>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "stack.hpp"

namespace lab {

using tunable_values_set = std::map<tunable, std::uint32_t>;

struct preset_entry {
  std::string_view name;   ///< as on the command line: linux-3.12
  std::string_view title;  ///< as in a sentence: Linux 3.12
  kernel_profile server;
  kernel_profile client;
  std::unique_ptr<stack> (*make)(const kernel_profile&, const stack_keys&, stack_hooks);
  bool (*reads)(tunable);
  std::uint32_t (*default_of)(tunable);
  explanation (*explain)(int backlog, const tunable_values_set&);
  std::string (*describe)();
  /// All that can happen in a small world. A syncache is made small, too: two buckets of two.
  listenq::testing::exploration (*explore)(const tunable_values_set&, listenq::testing::explore_options);

  /// The value in force for a run with these settings.
  std::uint32_t value(tunable t, const tunable_values_set& set) const {
    const auto i = set.find(t);
    return i == set.end() ? default_of(t) : i->second;
  }
};

/// Null if there is none of that name; `-`, `_` and `.` are the same.
const preset_entry* find_preset(std::string_view name);
/// All of them, in the order of the tables.
std::span<const preset_entry* const> all_presets();
/// All names, separated by commas.
std::string preset_names();

extern const preset_entry linux_2_6_32_entry;
extern const preset_entry linux_3_12_entry;
extern const preset_entry linux_6_18_entry;

}  // namespace lab
