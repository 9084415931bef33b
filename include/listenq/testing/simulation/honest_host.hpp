// SPDX-License-Identifier: BSL-1.0
// An honest host of a simulation. It knows no listener: it hears what the wire brings, as `connector` understands it.
#pragma once

#include <cstdint>
#include <listenq/address.hpp>
#include <listenq/segment.hpp>
#include <listenq/stream/connector.hpp>
#include <listenq/stream/profile.hpp>
#include <listenq/testing/simulation/world.hpp>
#include <listenq/time.hpp>
#include <listenq/transport/in_memory.hpp>
#include <optional>
#include <utility>

namespace listenq::testing::detail {

/// Connects, holds the connection for a while, resets it, rests, and begins again from another port.
struct honest_host {
  world& in;
  ipv4::address address;
  std::uint16_t port = 0;
  network::port wire{};
  std::optional<connector> attempt{};
  network::wake timer;
  bool holds = false;
  seq_number iss = 0;

  honest_host(world& w, std::uint32_t i) : in(w), address(world::host(i)), timer(w.net, [this] { due(); }) {
    w.net.add_host(address);
  }
  void rest() {
    attempt.reset();
    holds = false;
    wire.close();
    timer.set(in.net.now() + in.about(in.against.think));
  }
  void due() {
    if (holds) {  // done with it
      segment s = segment_to_peer(attempt->tuple());
      s.flags = flag::rst | flag::ack;
      s.seq = iss + 1;
      s.ack = attempt->established().irs + 1;
      wire.send(s);
      return rest();
    }
    if (attempt) return step(attempt->tick(in.net.now(), wire));
    auto bound = in.net.connect_port(address, {world::server, 80});
    if (!bound) return rest();
    wire = std::move(bound.port);
    wire.on_arrival([this] { hear(); });
    port = wire.local().port;
    iss = static_cast<seq_number>(in.random.next());
    attempt.emplace(profile::linux_6_18, four_tuple{world::server, address, 80, port}, iss,
                    static_cast<std::uint32_t>(in.random.next()));
    ++in.report.attempts;
    attempt->start(in.net.now(), wire);
    step(connector_event::none);
  }
  void hear() {
    while (const auto s = wire.receive()) {
      if (!attempt) return;
      if (!holds) {
        step(attempt->receive(*s, in.net.now(), wire));
        if (!wire.is_open()) return;
      } else if (s->flags.has(flag::rst)) {
        return rest();
      } else if (s->flags.has(flag::syn)) {  // our ACK was lost, or there was no room
        segment ack = segment_to_peer(attempt->tuple());
        ack.flags = flag::ack;
        ack.seq = iss + 1;
        ack.ack = s->seq + 1;
        if (s->options.timestamps) {
          ack.options.timestamps = true;
          ack.options.ts_echo = s->options.ts_value;
          ack.options.ts_value = timestamp_at(in.net.now(), attempt->established().ts_offset);
        }
        wire.send(ack);
      }
    }
  }
  void step(connector_event e) {
    if (e == connector_event::connected) {
      ++in.report.connected;
      holds = true;
      timer.set(in.net.now() + in.about(in.against.think));
    } else if (e == connector_event::none) {
      timer.set(attempt->next_deadline());
    } else {
      in.report.refused += e == connector_event::refused ? 1U : 0U;
      rest();
    }
  }
};

}  // namespace listenq::testing::detail
