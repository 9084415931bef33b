// SPDX-License-Identifier: BSL-1.0
// In memory: two hosts of a network with a virtual clock, 10 ms from each other. Nobody waits for anything.
#include <listenq/transport/in_memory.hpp>

#include "clients.hpp"
#include "play.hpp"
#include "server.hpp"
#include "transports.hpp"

namespace pair {

namespace {

using memory = basic_network<family>;

/// The clients' ports as one wire.
class client_ports {
 public:
  using addressing_type = family;
  client_ports(memory& net, family::address ours, const basic_endpoint<family>& server, unsigned n) {
    for (unsigned i = 0; i < n; ++i) {
      ports_.push_back(std::move(net.bind(ours, static_cast<std::uint16_t>(first_client_port + i), server).port));
    }
  }
  std::optional<segment_type> receive() {
    for (memory::port& p : ports_) {
      if (const auto s = p.receive()) return s;
    }
    return std::nullopt;
  }
  send_result send(const segment_type& s) { return ports_.front().send(s); }
  bool writable() const { return true; }
  transport_limits limits() const { return ports_.front().limits(); }

 private:
  std::vector<memory::port> ports_;
};

}  // namespace

played play_in_memory(const settings& s) {
  const family::address theirs{ip(10, 0, 0, 1)}, ours{ip(10, 0, 0, 2)};
  memory net;
  net.add_host(theirs);
  net.add_host(ours);
  net.set_default_link({.delay = 10 * millisecond});
  memory::port door = std::move(net.bind(ours, server_port).port);
  client_ports ports(net, theirs, {ours, server_port}, s.clients);
  wire_over server_wire(door);
  wire_over client_wire(ports);
  const auto server = s.preset->make(server_wire, s);
  library_clients them(client_wire, theirs, ours);
  if (!server->listen(net.now())) return {{}, "listen failed"};

  const auto wait = [&](const std::function<bool()>& done, duration at_most) {
    const instant end = net.now() + at_most;
    while (true) {
      server->turn(net.now());
      them.turn(net.now());
      if (done() || net.now() >= end) return;
      const instant next = std::min({net.next_event().value_or(end), server->next_deadline().value_or(end),
                                     them.next_deadline().value_or(end), end});
      net.run_until(next);
    }
  };
  return {play(s, {.them = them,
                   .wake_server = [&] { server->wake(net.now()); },
                   .look_at_server = [&] { return server->view(); },
                   .now = [&net] { return net.now(); },
                   .wait = wait}),
          {}};
}

}  // namespace pair
