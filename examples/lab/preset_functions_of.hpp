// SPDX-License-Identifier: BSL-1.0
// Makes what the lab needs of a preset out of its type. Included once for each preset, in a file that CMake makes from
// preset.cpp.in, so that presets are compiled beside each other.
#pragma once

#include <listenq/mirror.hpp>

#include "door_over.hpp"
#include "presets.hpp"

namespace lab {

/// `S`, whose SYN-ACKs are sent again once at most where no tunable says how often: for small worlds.
template <class S>
struct at_most_once_again : S {
  static constexpr std::uint32_t retries(const tunable_source auto& t) noexcept {
    const std::uint32_t n = S::retries(t);
    return tunables_of<S> != tunable_set{} || n < 1 ? n : 1;
  }
};

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

  static listenq::testing::exploration explore(const tunable_values_set& set, listenq::testing::explore_options o) {
    using brief = at_most_once_again<policy_of<L, slot::schedule>>;
    using still = with<L, isn<fixed_isn<1'000'000>>, schedule<brief>>;
    typename small_enough<still>::type door;
    for (const auto& [which, value] : set) door.set(which, value);
    o.expected.exact_deadlines = !policy_of<L, slot::clockwork>::sweeps;
    o.expected.most_waiting = policy_of<L, slot::waiting>::capacity(
        policy_of<L, slot::clamp>::clamp(o.world.backlog, typename L::tunables_type{}));
    return listenq::testing::explore(door, o);
  }
  static listenq::testing::simulation_report simulate(listenq::testing::simulation_options o) {
    o.expected.exact_deadlines = !policy_of<L, slot::clockwork>::sweeps;
    return listenq::testing::simulate(L{}, o);
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
preset_functions functions_of() {
  using f = functions<L>;
  return {&f::make_door, &f::reads, &f::default_of, &f::explain, &describe<L>, &f::explore, &f::simulate};
}

}  // namespace lab
