// SPDX-License-Identifier: BSL-1.0
// Makes the searches of a preset out of its type. Included once for each preset, in a file that CMake makes from
// preset_searches.cpp.in.
#pragma once

#include <listenq/mirror.hpp>

#include "searches.hpp"

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
struct searches {
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
preset_searches searches_for() {
  return {&searches<L>::explore, &searches<L>::simulate};
}

}  // namespace lab
