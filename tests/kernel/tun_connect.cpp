// SPDX-License-Identifier: BSL-1.0
// Connectors of the library at a listening socket of the machine's kernel, through a TUN interface: the program behind
// connectors.py. It says "open" when the interface is there, waits for a line, runs, and prints a line for each client:
//   port, when connect was done (us since the start, -1: never), its error, bytes sent, bytes still unacknowledged,
//   state
// usage: tun_connect INTERFACE LOCAL PEER PORT CLIENTS GAP_US DATA_AFTER_US UNTIL_US
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <listenq/stream/connection.hpp>
#include <listenq/stream/connector.hpp>
#include <listenq/transport/framed.hpp>
#include <listenq/transport/tun.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace listenq;

namespace {

constexpr std::uint16_t first_port = 30001;

struct client {
  connector attempt;
  instant start = 0;
  std::optional<instant> connected{};
  const char* error = "-";
  std::size_t sent = 0;
  std::unique_ptr<connection> talk{};
};

ipv4::address address_of(const std::string& text) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (std::sscanf(text.c_str(), "%u.%u.%u.%u", &a, &b, &c, &d) != 4) std::exit(2);
  return ip(static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b), static_cast<std::uint8_t>(c),
            static_cast<std::uint8_t>(d));
}

template <class Wire>
class run {
 public:
  run(Wire& wire, char** argv) : wire_(wire), data_after_(std::atoll(argv[7])), until_(std::atoll(argv[8])) {
    const endpoint peer{address_of(argv[3]), static_cast<std::uint16_t>(std::atoi(argv[4]))};
    for (int i = 0; i < std::atoi(argv[5]); ++i) {
      const four_tuple tuple{peer.address, address_of(argv[2]), peer.port, static_cast<std::uint16_t>(first_port + i)};
      const auto isn = 0xfffffff0U + static_cast<seq_number>(i) * 0x10000001U;
      clients_.push_back({connector(profile::linux_6_18, tuple, isn), i * std::atoll(argv[6])});
    }
  }

  void operator()(const tun& device) {
    const auto began = std::chrono::steady_clock::now();
    for (instant now = 0; now < until_; now = since(began)) {
      while (const auto s = wire_.receive()) take(*s, since(began));
      instant next = until_;
      for (client& c : clients_) next = std::min(next, turn(c, since(began)));
      device.wait(next - since(began));
    }
  }

  void print() const {
    for (const client& c : clients_) {
      const auto state = c.talk ? c.talk->state() : c.attempt.state();
      std::cout << c.attempt.tuple().local_port << ' ' << c.connected.value_or(-1) << ' ' << c.error << ' ' << c.sent
                << ' ' << (c.talk ? c.talk->unacked() : 0) << ' ' << static_cast<int>(state) << '\n';
    }
  }

 private:
  static instant since(std::chrono::steady_clock::time_point began) {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began).count();
  }

  void take(const segment& s, instant now) {
    const std::size_t i = s.destination.port - std::size_t{first_port};
    if (i >= clients_.size() || four_tuple_of(s) != clients_[i].attempt.tuple()) return;
    client& c = clients_[i];
    if (c.talk) {
      c.talk->receive(s, now, wire_);
    } else if (const auto e = c.attempt.receive(s, now, wire_); e == connector_event::connected) {
      c.connected = now;
      c.talk = std::make_unique<connection>(profile::linux_6_18, c.attempt.established(), opening::active);
    } else if (e == connector_event::refused) {
      c.error = "ECONNREFUSED";
    }
    if (c.talk && c.talk->error() == connection_error::reset) c.error = "ECONNRESET";
  }

  /// What is due; when the next thing is.
  instant turn(client& c, instant now) {
    if (now < c.start) return c.start;
    if (c.attempt.syns_sent() == 0) c.attempt.start(now, wire_);
    if (!c.talk) {
      if (c.attempt.tick(now, wire_) == connector_event::timed_out) c.error = "ETIMEDOUT";
      return c.attempt.next_deadline().value_or(until_);
    }
    c.talk->tick(now, wire_);
    const instant write = *c.connected + data_after_;
    if (c.sent == 0 && now >= write && c.talk->state() == connection_state::established) {
      constexpr std::byte message[13]{};
      c.sent = c.talk->send({message, sizeof message}, now, wire_);
    }
    const instant due = c.talk->next_deadline().value_or(until_);
    return c.sent == 0 ? std::min(due, write) : due;
  }

  Wire& wire_;
  duration data_after_;
  instant until_;
  std::vector<client> clients_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 9) return 2;
  tun device;
  if (const tun_error e = device.open(argv[1]); e != tun_error::none) {
    std::cerr << argv[1] << ": " << name_of(e) << '\n';
    return 1;
  }
  std::cout << "open" << std::endl;
  std::string line;
  std::getline(std::cin, line);
  auto wire = framed<ipv4>(device);
  run all(wire, argv);
  all(device);
  all.print();
}
