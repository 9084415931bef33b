// SPDX-License-Identifier: BSL-1.0
// Makes a preset's entry out of its type. Included once for each preset, in a file of its own, so that no translation
// unit compiles two listeners.
#pragma once

#include "presets.hpp"
#include "stack_over.hpp"

namespace lab {

template <class L>
struct entry_functions {
  static std::unique_ptr<stack> make(const kernel_profile& profile, const stack_keys& keys, stack_hooks hooks) {
    return std::make_unique<stack_over<L>>(profile, keys, std::move(hooks));
  }
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
constexpr preset_entry entry_of(std::string_view name, std::string_view title, const kernel_profile& server,
                                const kernel_profile& client) {
  using f = entry_functions<L>;
  return {name, title, server, client, &f::make, &f::reads, &f::default_of, &f::explain, &describe<L>};
}

}  // namespace lab
