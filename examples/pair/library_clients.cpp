// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <array>
#include <listenq/transport/text.hpp>
#include <random>

#include "clients.hpp"

namespace pair {

void library_clients::begin(instant now) {
  const auto port = static_cast<std::uint16_t>(first_client_port + all_.size());
  const basic_four_tuple<family> tuple{server_, ours_, server_port, port};
  std::random_device random;
  all_.push_back({basic_connector<family>(profile::linux_6_18, tuple, random()), {.port = port}});
  all_.back().attempt.start(now, wire_);
}

void library_clients::turn(instant now) {
  while (const auto s = wire_.receive()) take(*s, now);
  for (client& c : all_) {
    if (c.talk) {
      c.talk->tick(now, wire_);
    } else if (c.attempt.tick(now, wire_) == connector_event::timed_out) {
      c.seen.result = connect_result::timed_out;
      say("connect: Connection timed out");
    }
    look_at(c, now);
  }
}

void library_clients::take(const segment_type& s, instant now) {
  const auto i =
      std::find_if(all_.begin(), all_.end(), [&s](const client& c) { return c.attempt.tuple() == four_tuple_of(s); });
  if (i == all_.end()) return;
  if (i->talk) {
    i->talk->receive(s, now, wire_);
    return;
  }
  const connector_event e = i->attempt.receive(s, now, wire_);
  if (e == connector_event::refused) {
    i->seen.result = connect_result::refused;
    say("connect: Connection refused");
  }
  if (e != connector_event::connected) return;
  i->seen.result = connect_result::connected;
  say("connected to server: IP " + to_text(server_.base) + " PORT " + std::to_string(server_port));
  i->talk = std::make_unique<basic_connection<family>>(i->attempt.profile(), i->attempt.established(), opening::active);
  i->seen.sent = i->talk->send({reinterpret_cast<const std::byte*>(greeting.data()), greeting.size()}, now, wire_);
}

void library_clients::look_at(client& c, instant now) {
  if (!c.talk || c.seen.result != connect_result::connected) return;
  if (c.talk->error() != connection_error::none) {
    const bool reset = c.talk->error() == connection_error::reset;
    c.seen.result = reset ? connect_result::reset : connect_result::timed_out;
    say(reset ? "Connection reset by peer" : "Connection timed out");
    return;
  }
  if (c.talk->state() == connection_state::established) c.seen.acked = c.seen.sent - c.talk->unacked();
  std::array<std::byte, 256> buffer;
  while (const std::size_t n = c.talk->read(buffer.data(), buffer.size(), now, wire_)) {
    c.seen.echoed += n;
    say("recv from server: " + std::string(reinterpret_cast<const char*>(buffer.data()), n));
  }
}

std::optional<instant> library_clients::next_deadline() {
  std::optional<instant> first;
  for (const client& c : all_) {
    const auto d = c.talk ? c.talk->next_deadline() : c.attempt.next_deadline();
    if (d && (!first || *d < *first)) first = d;
  }
  return first;
}

std::vector<client_view> library_clients::views() const {
  std::vector<client_view> v;
  for (const client& c : all_) v.push_back(c.seen);
  return v;
}

void library_clients::close(instant now) {
  for (client& c : all_) {
    if (c.talk) {
      c.talk->close(now, wire_);
    } else {
      c.attempt.abort();
    }
  }
}

bool library_clients::closed() const {
  return std::all_of(all_.begin(), all_.end(), [](const client& c) {
    const auto s = c.talk ? c.talk->state() : connection_state::closed;
    return s == connection_state::closed || s == connection_state::time_wait;
  });
}

}  // namespace pair
