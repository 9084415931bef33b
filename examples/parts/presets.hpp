// SPDX-License-Identifier: BSL-1.0
// The presets that the programs know, all of preset/catalogue.hpp, with everything to run one: its stack, its
// tunables, its limits and the kernel at both ends. A preset that is added there is here, too.
#pragma once

#include <cstdint>
#include <listenq/describe.hpp>
#include <listenq/explain.hpp>
#include <listenq/preset/about.hpp>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "stack.hpp"

namespace lab {

using tunable_values_set = std::map<tunable, std::uint32_t>;

/// What is compiled for each preset by itself.
struct preset_functions {
  std::unique_ptr<door> (*make_door)(const stack_keys*);  ///< null: those of a listener made of nothing
  bool (*reads)(tunable);
  std::uint32_t (*default_of)(tunable);
  explanation (*explain)(int backlog, const tunable_values_set&);
  std::string (*describe)();
};
template <class L>
preset_functions functions_of();

struct preset_entry : preset_functions {
  std::string_view name;   ///< as on the command line: linux-3.12
  std::string_view title;  ///< as in a sentence: Linux 3.12
  std::string_view era;    ///< a year
  preset::family family;
  preset::standing standing;
  kernel_profile kernel;  ///< the endpoints at both ends

  std::unique_ptr<stack> make(const kernel_profile& profile, const stack_keys& keys, stack_hooks hooks) const {
    return std::make_unique<stack>(profile, make_door(&keys), std::move(hooks));
  }
  /// The value in force for a run with these settings.
  std::uint32_t value(tunable t, const tunable_values_set& set) const {
    const auto i = set.find(t);
    return i == set.end() ? default_of(t) : i->second;
  }
};

/// Null if there is none of that name; `-`, `_` and `.` are the same.
const preset_entry* find_preset(std::string_view name);
/// All of them, in the order of the tables.
std::span<const preset_entry> all_presets();
/// All names, separated by commas.
std::string preset_names();

}  // namespace lab
