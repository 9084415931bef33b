// SPDX-License-Identifier: BSL-1.0
// connector + connection over transport/in_memory.hpp: the pieces that the lab is made of, on links that misbehave.
#include <doctest/doctest.h>

#include <listenq/stream/connection.hpp>
#include <listenq/stream/connector.hpp>
#include <listenq/transport/in_memory.hpp>
#include <optional>
#include <string>

using namespace listenq;

namespace {

constexpr ipv4::address client_host = ip(10, 0, 0, 1), server_host = ip(10, 0, 0, 2);
constexpr seq_number server_iss = 0xfffff000U;  // wraps after 4 kB

byte_view bytes(const std::string& s, std::size_t from) {
  return {reinterpret_cast<const std::byte*>(s.data()) + from, s.size() - from};
}

// One end: a connection as soon as there is one, a stream to send, what was received, FIN when all is sent.
struct side {
  network& net;
  network::port port;
  network::wake timer;
  std::optional<connection> c;
  std::string out, in;
  std::size_t given = 0;

  side(network& n, network::port p, std::string data)
      : net(n), port(std::move(p)), timer(n, [this] { wake(); }), out(std::move(data)) {
    port.on_arrival([this] {
      while (const auto s = port.receive()) arrival(*s);
      work();
    });
  }
  side(const side&) = delete;
  virtual ~side() = default;
  virtual void arrival(const segment& s) {
    if (c) c->receive(s, net.now(), port);
  }
  virtual void wake() {
    if (c) c->tick(net.now(), port);
    work();
  }
  virtual std::optional<instant> deadline() const { return c ? c->next_deadline() : std::nullopt; }
  void work() {
    if (c) {
      given += c->send(bytes(out, given), net.now(), port);
      char buffer[1000];
      while (const auto n = c->read(reinterpret_cast<std::byte*>(buffer), sizeof buffer, net.now(), port)) {
        in.append(buffer, n);
      }
      if (given == out.size()) c->shutdown_send(net.now(), port);
    }
    timer.set(deadline());
  }
};

struct client final : side {
  connector open;
  client(network& n, network::port p, const kernel_profile& k, std::string data)
      : side(n, std::move(p), std::move(data)), open(k, {server_host, client_host, 80, port.local().port}, 77) {
    open.start(n.now(), port);
    work();
  }
  void arrival(const segment& s) override {
    if (c) return side::arrival(s);
    if (open.receive(s, net.now(), port) == connector_event::connected) {
      c.emplace(open.profile(), open.established(), opening::active);
    }
  }
  void wake() override {
    if (!c) open.tick(net.now(), port);
    side::wake();
  }
  std::optional<instant> deadline() const override { return c ? side::deadline() : open.next_deadline(); }
};

// Stands for a listener with one request and no timer: repeats its SYN-ACK only when the SYN is repeated.
struct server final : side {
  using side::side;
  established e;
  void arrival(const segment& s) override {
    if (c) return side::arrival(s);
    if (s.flags == flag::syn) {
      e.tuple = four_tuple_of(s);
      e.iss = server_iss;
      e.irs = s.seq;
      e.ours = profile::linux_6_18.offer;
      e.theirs = s.options;
      e.our_window = profile::linux_6_18.window_with_timestamps;
      e.peer_window = s.window;
      auto reply = segment_to_peer(e.tuple);
      reply.flags = flag::syn | flag::ack;
      reply.seq = e.iss;
      reply.ack = s.seq + 1;
      reply.window = e.our_window;
      reply.options = e.ours;
      port.send(reply);
    } else if (s.flags.has(flag::ack) && e.irs != 0) {
      c.emplace(profile::linux_6_18, e, opening::passive);
      c->receive(s, net.now(), port);
    }
  }
};

std::string pattern(std::size_t n, unsigned period) {
  std::string s(n, '\0');
  for (std::size_t i = 0; i < n; ++i) s[i] = static_cast<char>('a' + i % period);
  return s;
}

}  // namespace

// Bug caught: any byte lost, repeated or out of place, and any stall, under loss, duplication and reordering.
TEST_CASE("streams arrive whole both ways over bad links, whatever the seed") {
  const std::string up = pattern(30000, 23), down = pattern(30000, 19);
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    network_options o;
    o.seed = seed;
    network net(o);
    net.add_host(client_host);
    net.add_host(server_host);
    net.set_default_link({.delay = 5000, .jitter = 3000, .loss = 0.1, .duplicate = 0.05});
    server s(net, net.bind(server_host, 80).port, down);
    client c(net, net.connect_port(client_host, {server_host, 80}).port, profile::linux_6_18, up);
    const auto r = net.run_until_idle(1'000'000);
    CHECK(r.idle);
    REQUIRE(s.c);
    REQUIRE(c.c);
    CHECK(s.in == up);
    CHECK(c.in == down);
    CHECK(s.c->state() == connection_state::closed);
    CHECK(c.c->state() == connection_state::closed);
    CHECK(c.c->error() == connection_error::none);
  }
}

// Bug caught: timers that fire too early on a clean slow link, or a timer left armed after the end.
TEST_CASE("a clean link with a long delay needs no repetition") {
  network net;
  net.add_host(client_host);
  net.add_host(server_host);
  net.set_default_link({.delay = 150 * millisecond});
  server s(net, net.bind(server_host, 80).port, "");
  client c(net, net.connect_port(client_host, {server_host, 80}).port, profile::linux_6_18, pattern(200000, 23));
  CHECK(net.run_until_idle(1'000'000).idle);
  CHECK(s.in.size() == 200000);
  REQUIRE(c.c);
  CHECK(c.c->retransmissions() == 0);
}

// Bug caught: connect to a closed port hanging instead of ECONNREFUSED.
TEST_CASE("a closed port refuses") {
  network net;
  net.add_host(client_host);
  net.add_host(server_host);
  client c(net, net.connect_port(client_host, {server_host, 80}).port, profile::linux_3_12, "");
  CHECK(net.run_until_idle(10).idle);
  CHECK(c.open.outcome() == connector_event::refused);
}

// Bug caught: a silent host that is retried for ever, or given up at the wrong moment.
TEST_CASE("a silent host times out after 127 s on 3.12") {
  network net;
  net.add_host(client_host);
  net.add_host(server_host);
  net.set_link(client_host, server_host, {.loss = 1});
  client c(net, net.connect_port(client_host, {server_host, 80}).port, profile::linux_3_12, "");
  CHECK(net.run_until_idle(100).idle);
  CHECK(c.open.outcome() == connector_event::timed_out);
  CHECK(net.now() == 127 * second);
}
