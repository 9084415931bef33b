// SPDX-License-Identifier: BSL-1.0
// Linux 6.18 with other addresses, storage, hashes, handles, ends: what must not change how a listener decides.
#include <listenq/preset/linux_6_18.hpp>

#include "driver.hpp"

using namespace property;

TEST_CASE("other shapes") {
  hold_all<preset::linux_6_18>(
      "linux_6_18", variants<preset::linux_6_18, family<ipv6>, family<tagged<ipv4>>, storage<fixed<8, 8>>,
                             hashing<siphash<1, 3>>, child<deferred_child>, child<handles<std::uint32_t>>,
                             counters<no_counters>, clamp<as_is>, clamp<at_least_80>, aborted_child<reported>,
                             closing<abort_requests>, closing<forget_requests>, closing<outlive_listener>>);
}

TEST_CASE("in the caller's memory") {
  using L = with<preset::linux_6_18, storage<caller_memory>, request_full<evict_oldest>, cookies<no_cookies>>;
  const std::string name = "linux_6_18 in 4096 bytes of the caller's";
  std::array<std::byte, 4096> block{};
  CHECK(holds(name, [&] {
    return std::make_unique<part<L>>(rules_of<L>(name), caller_memory{block.data(), block.size()});
  }));
}

TEST_CASE("with a key") {
  using L = preset::linux_6_18;
  const std::string name = "linux_6_18 with a key";
  CHECK(holds(name, [&] {
    return std::make_unique<part<L>>(rules_of<L>(name), siphash<>{{0x0123456789abcdefU, 0xfedcba9876543210U}});
  }));
}

TEST_CASE("with a budget for each peer") {
  hold_all<preset::linux_6_18>(
      "linux_6_18",
      boost::hana::tuple_t<with<preset::linux_6_18, budget<three_a_peer>, admission<budget_gates>>,
                           with<preset::linux_6_18, budget<three_a_peer>, admission<budget_gates>,
                                request_full<evict_oldest>, cookies<no_cookies>, closing<abort_requests>>>);
}
