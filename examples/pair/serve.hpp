// SPDX-License-Identifier: BSL-1.0
// The server over one preset's listener. Included once for each preset, in a file of its own.
#pragma once

#include <algorithm>
#include <array>
#include <listenq/mirror.hpp>
#include <listenq/stream/profile.hpp>
#include <listenq/transport/host.hpp>
#include <listenq/transport/text.hpp>
#include <vector>

#include "keyed.hpp"
#include "server.hpp"

namespace pair {

template <class Preset>
class server_over final : public server {
  using listener_type = with<Preset, listenq::family<pair::family>, child<handles<connection_id>>>;

 public:
  server_over(wire& w, const settings& s, const kernel_profile& profile)
      : host_(w, prototype(s), {.profile = profile, .key = programs::fresh_key()}), backlog_(s.backlog) {}

  bool listen(instant now) override {
    say("server is listening!");
    return static_cast<bool>(host_.listen(server_port, backlog_, now));
  }

  bool turn(instant now) override {
    constexpr std::size_t batch = 256;
    const bool more = host_.poll(now, batch) == batch;
    while (awake_) {
      const auto id = host_.accept(server_port, now);
      if (!id) break;
      const auto peer = host_.find_connection(*id)->tuple().peer();
      say("a client connected: IP " + to_text(peer.address.base) + " PORT " + std::to_string(peer.port));
      accepted_.push_back({*id, peer.port});
      answer(*id, now);
    }
    while (const auto e = host_.next_event()) answer(e->id, now);
    return more;
  }

  std::optional<instant> next_deadline() override { return host_.next_deadline(); }
  void wake(instant now) override {
    awake_ = true;
    turn(now);
  }

  server_view view() override {
    const listener_type& l = *host_.listener_at(server_port);
    server_view v{.requests = l.request_count(), .waiting = l.accept_count()};
    for (const auto& n : policy_of<listener_type, slot::counters>::names) {
      if (l.counters().*n.value > 0) v.counters.emplace_back(n.name, l.counters().*n.value);
    }
    l.for_each_request([&v](const auto& r) { v.rows.push_back({r.key.peer_port, known_as::request}); });
    l.for_each_waiting([&](const connection_id& id) {
      const auto* c = host_.find_connection(id);
      if (c != nullptr) v.rows.push_back({c->tuple().peer_port, known_as::waiting, c->bytes_available()});
    });
    for (const talk& t : accepted_) v.rows.push_back({t.port, known_as::accepted, t.bytes});
    return v;
  }

 private:
  struct talk {
    connection_id id{};
    std::uint16_t port = 0;
    std::size_t bytes = 0;
  };

  static listener_type prototype(const settings& s) {
    auto l = programs::keyed<listener_type>();
    if (s.abort_on_overflow) l.set(tunable::abort_on_overflow, 1);
    return l;
  }

  void answer(connection_id id, instant now) {
    const auto i = std::find_if(accepted_.begin(), accepted_.end(), [id](const talk& t) { return t.id == id; });
    if (i == accepted_.end()) return;
    std::array<std::byte, 256> buffer;
    while (const std::size_t n = host_.read(id, buffer.data(), buffer.size(), now)) {
      i->bytes += n;
      say("from " + std::to_string(i->port) + ": " + std::string(reinterpret_cast<const char*>(buffer.data()), n));
      host_.send(id, {buffer.data(), n}, now);
    }
    const auto* c = host_.find_connection(id);
    if (c != nullptr && c->end_of_stream()) host_.close(id, now);
  }

  host<wire, listener_type> host_;
  int backlog_;
  bool awake_ = false;
  std::vector<talk> accepted_;
};

template <class Preset, const kernel_profile& Profile>
constexpr preset_entry entry_of(std::string_view name) {
  return {name, Preset::tunables_type::members.has(tunable::abort_on_overflow),
          [](wire& w, const settings& s) -> std::unique_ptr<server> {
            return std::make_unique<server_over<Preset>>(w, s, Profile);
          }};
}

}  // namespace pair
