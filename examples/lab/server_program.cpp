// SPDX-License-Identifier: BSL-1.0
#include "server_program.hpp"

#include <array>
#include <cstring>
#include <ctime>

namespace lab {

namespace {

constexpr std::time_t first_second = 1382023531;  // Thu Oct 17 15:25:31 2013, as in the article

std::string time_of_day(instant now) {
  const std::time_t t = first_second + static_cast<std::time_t>(now / second);
  std::tm utc{};
  gmtime_r(&t, &utc);
  std::array<char, 32> text{};
  const std::size_t n = std::strftime(text.data(), text.size(), "%a %b %e %H:%M:%S %Y\n", &utc);
  return {text.data(), n};
}

}  // namespace

server_program::server_program(network& net, agenda& plans, stack& kernel, const settings& s, record& out,
                               std::function<void()> moved)
    : net_(net),
      plans_(plans),
      kernel_(kernel),
      settings_(s),
      out_(out),
      moved_(std::move(moved)),
      accepting_(s.accept.when == accept_rule::kind::always) {
  say("server is listening!");
  using kind = accept_rule::kind;
  if (s.accept.when == kind::from || s.accept.when == kind::once) {
    plans_.at(s.accept.at, [this] {
      accepting_ = true;
      accept_all();
      accepting_ = settings_.accept.when == kind::from;
      moved_();
    });
  }
}

void server_program::say(std::string text) { out_.server_console.push_back({net_.now(), std::move(text)}); }

void server_program::look() {
  if (accepting_) accept_all();
}

void server_program::accept_all() {
  while (stack::child* c = kernel_.accept(net_.now())) {
    const std::uint16_t port = c->key.peer_port;
    out_.accepted.emplace_back(port, net_.now());
    say("a client connected: IP 127.0.0.1 PORT " + std::to_string(port));
    read(*c);
  }
}

void server_program::stirred(std::uint16_t port, connection_events e) {
  stack::child* c = kernel_.find(port);
  if (c != nullptr && c->accepted && e.has(connection_event::readable)) read(*c);
}

void server_program::read(stack::child& c) {
  const std::uint16_t port = c.key.peer_port;
  if (asleep_.contains(port) || c.connection->bytes_available() == 0) return;
  std::array<std::byte, 255> bytes{};
  const std::size_t n = kernel_.read(c, bytes.data(), bytes.size(), net_.now());
  out_.server_read[port].emplace_back(n, net_.now());
  if (!settings_.echo) return;
  std::string text(n, '\0');
  std::memcpy(text.data(), bytes.data(), n);
  asleep_.insert(port);
  plans_.after(second, [this, port, text] { answer(port, text); });
}

void server_program::answer(std::uint16_t port, std::string text) {
  asleep_.erase(port);
  stack::child* c = kernel_.find(port);
  if (c == nullptr || c->connection->state() == connection_state::closed) return;
  text += " : " + time_of_day(net_.now());
  say(text.substr(0, text.size() - 1));
  kernel_.send(*c, {reinterpret_cast<const std::byte*>(text.data()), text.size()}, net_.now());
  read(*c);
  moved_();
}

}  // namespace lab
