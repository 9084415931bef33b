// SPDX-License-Identifier: BSL-1.0
// budget: how much of the request queue one peer may take, whoever else is waiting. Asked by `gates::budget`, told of
// every request that comes and goes, in pairs, whatever ends it. It limits; it does not count for statistics.
//
// When to use which: `per_prefix<24, 64>` (prefix_budget.hpp) so that no network can fill the queue;
// `shared_budget<>` (shared_budget.hpp) so that one busy listener leaves the others their reserve; `every<...>` for
// several at once, for instance a /24 within a /16 within a pool; `no_budget` where the queue is first come, first
// served, as in every kernel.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/address.hpp>

namespace listenq {

/// Why a request left.
enum class departure : std::uint8_t { promoted, expired, reset, overflow, evicted, closed, send_failed };

/// `allows(key)` before a request is stored; `entered(key)` and `left(key, why)` in pairs. Optional:
/// - `bool listens(limit, seed)`: at listen(), how many requests fit, and a number that only the holder of the
///   listener's key can foretell, the same each time; false, and listen() fails with `no_share`;
/// - `bool balanced(for_each_key)`: is what it counts exactly the requests that `for_each_key(f)` calls `f(key)` for?
/// - `attach(value)`: takes what the user passed to the constructor, where a copy of it would not do.
template <class P, class A = ipv4>
concept budget_policy = std::default_initializable<P> && requires(P& p, const basic_four_tuple<A>& key, departure why) {
  { p.allows(key) } -> std::same_as<bool>;
  p.entered(key);
  p.left(key, why);
};

/// Everybody may have everything.
struct no_budget {
  static constexpr const char* name = "no_budget";
  template <addressing A>
  static constexpr bool allows(const basic_four_tuple<A>&) noexcept {
    return true;
  }
  template <addressing A>
  static constexpr void entered(const basic_four_tuple<A>&) noexcept {}
  template <addressing A>
  static constexpr void left(const basic_four_tuple<A>&, departure) noexcept {}
};

/// All of them at once: what one forbids is forbidden. No two of the same type.
template <budget_policy... Budgets>
struct every;

template <>
struct every<> : no_budget {
  static constexpr bool listens(std::uint32_t, std::uint64_t) noexcept { return true; }
  template <class ForEachKey>
  static constexpr bool balanced(ForEachKey&&) noexcept {
    return true;
  }
  template <class Value>
  static constexpr bool has = false;
};

template <budget_policy First, budget_policy... Rest>
struct every<First, Rest...> {
  static constexpr const char* name = "every";
  [[no_unique_address]] First first{};
  [[no_unique_address]] every<Rest...> rest{};
  /// Is `Value` one of them?
  template <class Value>
  static constexpr bool has = std::same_as<Value, First> || every<Rest...>::template has<Value>;

  template <addressing A>
  constexpr bool allows(const basic_four_tuple<A>& key) const noexcept {
    return first.allows(key) && rest.allows(key);
  }
  template <addressing A>
  constexpr void entered(const basic_four_tuple<A>& key) noexcept {
    first.entered(key);
    rest.entered(key);
  }
  template <addressing A>
  constexpr void left(const basic_four_tuple<A>& key, departure why) noexcept {
    first.left(key, why);
    rest.left(key, why);
  }
  constexpr bool listens(std::uint32_t limit, std::uint64_t seed) noexcept {
    if constexpr (requires { first.listens(limit, seed); }) {
      if (!first.listens(limit, seed)) return false;
    }
    // Each has a secret of its own: what collides in one does not in the next.
    return rest.listens(limit, (seed ^ (seed >> 32)) * 0x9e3779b97f4a7c15U);
  }
  template <class ForEachKey>
  constexpr bool balanced(ForEachKey&& for_each_key) const {
    if constexpr (requires { first.balanced(for_each_key); }) {
      if (!first.balanced(for_each_key)) return false;
    }
    return rest.balanced(for_each_key);
  }
  /// A value for one of them.
  template <class Value>
  constexpr void attach(const Value& value) noexcept requires has<Value> {
    if constexpr (!std::same_as<Value, First>) {
      rest.attach(value);
    } else if constexpr (requires { first.attach(value); }) {
      first.attach(value);
    } else {
      first = value;
    }
  }
};

using default_budget = no_budget;

namespace slot {
struct budget {
  static constexpr const char* name = "budget";
};
}  // namespace slot
/// Keyword: how much one peer may take.
template <budget_policy P = default_budget>
struct budget {
  using slot = listenq::slot::budget;
  using policy = P;
};

}  // namespace listenq
