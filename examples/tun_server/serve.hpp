// SPDX-License-Identifier: BSL-1.0
// The server over one preset's listener. Included once for each preset, in a file of its own, so that no translation
// unit compiles two listeners.
#pragma once

#include <array>
#include <cstdio>
#include <fstream>
#include <listenq/mirror.hpp>
#include <listenq/stream/profile.hpp>
#include <listenq/transport/captured.hpp>
#include <listenq/transport/framed.hpp>
#include <listenq/transport/host.hpp>
#include <listenq/transport/lossy.hpp>
#include <listenq/transport/tun.hpp>
#include <map>
#include <utility>
#include <vector>

#include "http.hpp"
#include "keyed.hpp"
#include "presets.hpp"
#include "runtime.hpp"
#include "state.hpp"

namespace tun_server {

using namespace listenq;
using namespace programs;

/// The preset with two answers changed: both families of addresses, and the host's own names for connections.
template <class Preset>
using listener_over = with<Preset, family<dual>, child<handles<connection_id>>>;

template <class Listener>
Listener prototype_for(const settings& s) {
  Listener l = keyed<Listener>();
  for (const auto& [t, value] : s.tunables) l.set(t, value);
  return l;
}

template <class Wire, class Listener>
class server {
 public:
  server(Wire& wire, const kernel_profile& profile, const settings& s)
      : settings_(s), host_(wire, prototype_for<Listener>(s), {.profile = profile, .key = fresh_key()}) {}

  bool listen() { return static_cast<bool>(host_.listen(settings_.port, settings_.backlog, steady_now())); }

  /// One round. True if there may be more to do at once.
  bool turn() {
    constexpr std::size_t batch = 256;
    const instant now = steady_now();
    const bool more = host_.poll(now, batch) == batch;
    while (open_.size() < settings_.accept) {
      const auto id = host_.accept(settings_.port, now);
      if (!id) break;
      ++accepted_;
      open_.emplace(id->slot, talk{*id, {}});
      serve(*id, now);
    }
    while (const auto e = host_.next_event()) serve(e->id, now);
    return more;
  }

  std::optional<instant> next_deadline() { return host_.next_deadline(); }

  void print_state(const frame_counts& frames) {
    const Listener& l = *host_.listener_at(settings_.port);
    std::vector<std::pair<const char*, std::uint64_t>> counters;
    for (const auto& n : policy_of<Listener, slot::counters>::names)
      counters.emplace_back(n.name, l.counters().*n.value);
    print({.accepted = accepted_,
           .open = open_.size(),
           .connections = host_.connections(),
           .waiting = l.accept_count(),
           .requests = l.request_count(),
           .backlog = l.backlog(),
           .counters = std::move(counters),
           .frames = frames,
           .host = host_.counts()});
  }

 private:
  struct talk {
    connection_id id{};
    exchange http{};
  };

  void serve(connection_id id, instant now) {
    const auto i = open_.find(id.slot);
    if (i == open_.end() || i->second.id != id) return;
    exchange& http = i->second.http;
    std::array<std::byte, 16384> buffer;
    while (const std::size_t n = host_.read(id, buffer.data(), buffer.size(), now)) {
      http.take({reinterpret_cast<const char*>(buffer.data()), n});
    }
    while (!http.pending().empty()) {
      const std::string_view out = http.pending();
      const std::size_t n = host_.send(id, {reinterpret_cast<const std::byte*>(out.data()), out.size()}, now);
      if (n == 0) break;
      http.sent(n);
    }
    const auto* c = host_.find_connection(id);
    const bool gone = c == nullptr || c->state() == connection_state::closed;
    if (gone || (http.answered() ? http.pending().empty() : c->end_of_stream())) {
      host_.close(id, now);
      open_.erase(i);
    }
  }

  const settings& settings_;
  host<Wire, Listener> host_;
  std::map<std::uint32_t, talk> open_;
  std::uint64_t accepted_ = 0;
};

/// Runs until a signal; `framed` is what the segments go through, over `device`.
template <class Listener, class Framed>
int run(tun& device, Framed& wire, const kernel_profile& profile, const settings& s) {
  for (const auto& a : s.addresses) wire.add_address(a);
  lossy unreliable(wire, fault_rates{.drop = s.loss}, fault_rates{.drop = s.loss}, s.seed);
  server<decltype(unreliable), Listener> here(unreliable, profile, s);
  if (!here.listen()) return complain("listen: the backlog is more than this listener can hold");
  const signals on_signal;
  ready(device.name(), s);
  while (!signals::stop()) {
    unreliable.release(steady_now());
    const bool more = here.turn();
    if (signals::state_wanted()) here.print_state(wire.counts());
    const std::optional<instant> next = here.next_deadline();
    const duration rest = more ? 0 : next ? *next - steady_now() : never;
    if (device.wait(rest, on_signal.mask()) == tun_wait::broken) return complain(device.name() + " is gone");
  }
  here.print_state(wire.counts());
  return 0;
}

template <class Preset>
int serve(const settings& s, const kernel_profile& profile) {
  using listener_type = listener_over<Preset>;
  tun device;
  if (const tun_error e = device.open(s.tun); e != tun_error::none) {
    return complain(s.tun + ": " + name_of(e) + " (errno " + std::to_string(device.system_error()) + ")");
  }
  if (!set_up(device.name(), s)) return 1;
  if (s.pcap.empty()) {
    auto wire = framed<dual>(device);
    return run<listener_type>(device, wire, profile, s);
  }
  std::ofstream file(s.pcap, std::ios::binary);
  if (!file) return complain(s.pcap + ": cannot be written");
  const auto write = [&file](byte_view b) {
    file.write(reinterpret_cast<const char*>(b.data), static_cast<std::streamsize>(b.size));
  };
  auto wire = framed<dual>(captured(device, write, wall_now));
  return run<listener_type>(device, wire, profile, s);
}

template <class Preset, const kernel_profile& Profile>
constexpr preset_entry entry_of(std::string_view name) {
  return {name, [](tunable t) { return Preset::tunables_type::members.has(t); },
          [](const settings& s) { return serve<Preset>(s, Profile); }};
}

}  // namespace tun_server
