// SPDX-License-Identifier: BSL-1.0
// Loopback: the server is a thread, the clients are another; a ring each way.
#include <listenq/transport/loopback.hpp>
#include <thread>

#include "clients.hpp"
#include "play.hpp"
#include "remote.hpp"
#include "transports.hpp"

namespace pair {

played play_over_loopback(const settings& s) {
  basic_loopback<family> both;
  wire_over server_wire(both.first());
  wire_over client_wire(both.second());
  line control;
  const auto server = s.preset->make(server_wire, s);
  std::thread serving([&] { obey(*server, server_wire, control.theirs(), "ready"); });
  library_clients them(client_wire, {ip(127, 0, 0, 1)}, {ip(127, 0, 0, 1)});
  remote_server remote(control.ours());
  played p;
  p.trouble = remote.hello().trouble;
  if (p.trouble.empty()) p.result = play_with(s, them, remote);
  serving.join();
  return p;
}

}  // namespace pair
