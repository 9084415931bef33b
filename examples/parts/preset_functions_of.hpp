// SPDX-License-Identifier: BSL-1.0
// Makes what the programs need of a preset out of its type. Included once for each preset, in a file that CMake makes
// from preset.cpp.in, so that presets are compiled beside each other.
#pragma once

#include "door_over.hpp"
#include "presets.hpp"

namespace lab {

template <class L>
struct functions {
  static std::unique_ptr<door> make_door(const stack_keys* keys) { return std::make_unique<door_over<L>>(keys); }
  static bool reads(tunable t) { return L::tunables_type::members.has(t); }
  static std::uint32_t default_of(tunable t) { return typename L::tunables_type{}[t]; }
  static explanation explain(int backlog, const tunable_values_set& set) {
    const auto with_value = [&set](tunable t) {
      const auto i = set.find(t);
      return setting{t, i == set.end() ? default_of(t) : i->second};
    };
    return listenq::explain<L>(backlog, {with_value(tunable::somaxconn), with_value(tunable::max_syn_backlog),
                                         with_value(tunable::syncookies), with_value(tunable::abort_on_overflow),
                                         with_value(tunable::synack_retries), with_value(tunable::defer_accept)});
  }
};

template <class L>
preset_functions functions_of() {
  using f = functions<L>;
  return {&f::make_door, &f::reads, &f::default_of, &f::explain, &describe<L>};
}

}  // namespace lab
