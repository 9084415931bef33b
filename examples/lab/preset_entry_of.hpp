// SPDX-License-Identifier: BSL-1.0
// Makes a preset's entry out of its type. Included once for each preset, in a file of its own, so that no translation
// unit compiles two listeners.
#pragma once

#include <listenq/mirror.hpp>

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

  static listenq::testing::exploration explore(const tunable_values_set& set, listenq::testing::explore_options o) {
    using still = with<L, isn<fixed_isn<1'000'000>>>;
    typename small_enough<still>::type door;
    for (const auto& [which, value] : set) door.set(which, value);
    o.expected.exact_deadlines = !policy_of<L, slot::clockwork>::sweeps;
    o.expected.most_waiting = policy_of<L, slot::waiting>::capacity(
        policy_of<L, slot::clamp>::clamp(o.world.backlog, typename L::tunables_type{}));
    return listenq::testing::explore(door, o);
  }

 private:
  template <class T>
  struct small_enough {
    using type = T;
  };
  template <class T>
  requires bucketed<policy_of<T, slot::sizing>>
  struct small_enough<T> {
    using type = with<T, sizing<syncache<2, 2>>>;
  };
};

template <class L>
constexpr preset_entry entry_of(std::string_view name, std::string_view title, const kernel_profile& server,
                                const kernel_profile& client) {
  using f = entry_functions<L>;
  return {name, title, server, client, &f::make, &f::reads, &f::default_of, &f::explain, &describe<L>, &f::explore};
}

}  // namespace lab
