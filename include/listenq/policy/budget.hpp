// SPDX-License-Identifier: BSL-1.0
// budget: how much of the request queue one peer may take, whoever else is waiting. Asked by `gates::budget`, told of
// every request that comes and goes. It limits; it does not count for statistics.
//
// When to use which: `no_budget` unless a listener must stay reachable while one prefix floods it.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/address.hpp>

namespace listenq {

/// Why a request left.
enum class departure : std::uint8_t { promoted, expired, reset, overflow, evicted, closed, send_failed };

/// `allows(key)` before a request is stored; `entered(key)` and `left(key, why)` in pairs.
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
