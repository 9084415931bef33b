// SPDX-License-Identifier: BSL-1.0
// What all in a simulation have in common: the network, the random numbers, the hostility, the report.
#pragma once

#include <cstdint>
#include <functional>
#include <listenq/address.hpp>
#include <listenq/testing/hostility.hpp>
#include <listenq/testing/simulation/options.hpp>
#include <listenq/time.hpp>
#include <listenq/transport/in_memory.hpp>
#include <listenq/transport/splitmix64.hpp>
#include <memory>
#include <utility>

namespace listenq::testing::detail {

struct world {
  static constexpr ipv4::address server = ip(10, 0, 0, 1);
  static constexpr ipv4::address attacker = ip(10, 0, 0, 2);
  static constexpr ipv4::address host(std::uint32_t i) noexcept { return {ip(10, 1, 0, 0).value + i}; }

  splitmix64 random;
  hostility against;
  simulation_report report{};
  network net;
  bool ending = false;  ///< nobody begins anything any more

  /// A spoofed address is somewhere, and silent.
  world(const simulation_options& o, bool shared_port)
      : random(o.seed),
        against(o.against ? *o.against : draw_hostility(random, shared_port)),
        net(network_options{.seed = random.next(), .no_route = send_result::sent}) {
    report.against = against;
    net.set_default_link(against.link);
    net.add_host(server);
    net.add_host(attacker);
  }

  /// 1 to twice `mean`.
  duration about(duration mean) {
    return 1 + static_cast<duration>(random.up_to(static_cast<std::uint64_t>(2 * mean)));
  }

  /// Calls `f` again and again, `gap` apart on average, until the end; never if `gap` is 0.
  void every(duration gap, std::function<void()> f) {
    if (gap > 0) repeat(gap, std::make_shared<std::function<void()>>(std::move(f)));
  }

 private:
  void repeat(duration gap, const std::shared_ptr<std::function<void()>>& f) {
    net.at(net.now() + about(gap), [this, gap, f] {
      if (ending) return;
      (*f)();
      repeat(gap, f);
    });
  }
};

}  // namespace listenq::testing::detail
