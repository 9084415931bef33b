// SPDX-License-Identifier: BSL-1.0
// Who sends a simulation's listener what no honest host would: floods, duplicates, RSTs, ACKs, slow handshakes.
#pragma once

#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/testing/simulation/honest_host.hpp>
#include <listenq/testing/simulation/world.hpp>
#include <listenq/time.hpp>
#include <listenq/transport/in_memory.hpp>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace listenq::testing::detail {

/// `honest` are those in whose name they speak. They stay where they are.
class attackers {
 public:
  attackers(world& w, const std::vector<std::unique_ptr<honest_host>>& honest)
      : in_(w), honest_(honest), wire_(w.net.bind(world::attacker, 1).port) {}
  attackers(const attackers&) = delete;
  attackers& operator=(const attackers&) = delete;

  void begin() {
    in_.every(in_.against.spoofed_flood, [this] {
      wire_.send(forged({{{any_number() | 0xc0000000U}, any_port()}, flag::syn, any_number()}));
    });
    in_.every(in_.against.prefix_flood, [this] {
      wire_.send(forged({{{ip(192, 0, 2, 0).value + static_cast<std::uint32_t>(in_.random.up_to(255))}, any_port()},
                         flag::syn,
                         any_number()}));
    });
    in_.every(in_.against.duplicate_syns, [this] {
      const honest_host& h = somebody();
      wire_.send(forged({{h.address, h.port}, flag::syn, in_.random.chance(0.5) ? h.iss : any_number()}));
    });
    in_.every(in_.against.reset_storm, [this] {
      const honest_host& h = somebody();
      const seq_number near = h.iss + static_cast<seq_number>(in_.random.up_to(4)) - 1;
      wire_.send(forged({{h.address, h.port},
                         in_.random.chance(0.5) ? flag::rst : flag::rst | flag::ack,
                         in_.random.chance(0.3) ? any_number() : near,
                         any_number()}));
    });
    in_.every(in_.against.ack_storm, [this] {
      const honest_host& h = somebody();
      wire_.send(
          forged({{h.address, in_.random.chance(0.5) ? h.port : any_port()}, flag::ack, any_number(), any_number()}));
    });
    in_.every(in_.against.slow_acks, [this] {
      const std::uint16_t port = any_port();
      const seq_number iss = any_number();
      auto bound = in_.net.bind(world::attacker, port, {world::server, 80});
      if (!bound) return;
      auto wire = std::make_shared<network::port>(std::move(bound.port));
      wire->send(forged({{world::attacker, port}, flag::syn, iss}));
      in_.net.at(in_.net.now() + in_.about(4 * second), [wire, port, iss] {
        std::optional<seq_number> theirs;
        while (const auto s = wire->receive()) {
          if (s->flags.has(flag::syn)) theirs = s->seq;
        }
        if (theirs) wire->send(forged({{world::attacker, port}, flag::ack, iss + 1, *theirs + 1}));
      });
    });
  }

 private:
  /// Written in braces, in which random numbers are drawn from left to right whatever the compiler.
  struct forgery {
    endpoint from{};
    listenq::flags flags{};
    seq_number seq = 0;
    seq_number ack = 0;
  };
  static segment forged(const forgery& what) {
    segment s{
        .source = what.from, .destination = {world::server, 80}, .seq = what.seq, .ack = what.ack, .flags = what.flags};
    s.window = 1024;
    if (s.flags.has(flag::syn)) s.options.mss = 1460;
    return s;
  }
  std::uint16_t any_port() { return static_cast<std::uint16_t>(1024 + in_.random.up_to(60000)); }
  seq_number any_number() { return static_cast<seq_number>(in_.random.next()); }
  const honest_host& somebody() { return *honest_[in_.random.up_to(honest_.size() - 1)]; }

  world& in_;
  const std::vector<std::unique_ptr<honest_host>>& honest_;
  network::port wire_;
};

}  // namespace listenq::testing::detail
