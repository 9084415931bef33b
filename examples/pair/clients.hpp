// SPDX-License-Identifier: BSL-1.0
// The articles' clients: connect(), 13 bytes, and whatever comes back. The library's own over any `wire`, or sockets of
// this machine's kernel.
#pragma once

#include <functional>
#include <listenq/stream/connection.hpp>
#include <listenq/stream/connector.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nouns.hpp"
#include "wire.hpp"

namespace pair {

class clients {
 public:
  virtual ~clients() = default;
  std::function<void(const std::string&)> say = [](const std::string&) {};

  /// One more client calls connect().
  virtual void begin(instant now) = 0;
  virtual void turn(instant now) = 0;
  virtual std::optional<instant> next_deadline() = 0;
  virtual std::vector<client_view> views() const = 0;
  virtual void close(instant now) = 0;
  /// Has everything been said that a close has to say?
  virtual bool closed() const = 0;
  /// As `wire::descriptor`.
  virtual int descriptor() const = 0;
};

class library_clients final : public clients {
 public:
  library_clients(wire& w, family::address ours, family::address server) : wire_(w), ours_(ours), server_(server) {}
  void begin(instant now) override;
  void turn(instant now) override;
  std::optional<instant> next_deadline() override;
  std::vector<client_view> views() const override;
  void close(instant now) override;
  bool closed() const override;
  int descriptor() const override { return wire_.descriptor(); }

 private:
  struct client {
    basic_connector<family> attempt;
    client_view seen{};
    std::unique_ptr<basic_connection<family>> talk{};
  };
  void take(const segment_type& s, instant now);
  void look_at(client& c, instant now);

  wire& wire_;
  family::address ours_;
  family::address server_;
  std::vector<client> all_;
};

class kernel_clients final : public clients {
 public:
  /// They leave through `interface` and no other. `fixed_ports`: bind to 30001 and so on, or let the kernel choose.
  kernel_clients(std::string interface, ipv4::address server, bool fixed_ports)
      : interface_(std::move(interface)), server_(server), fixed_ports_(fixed_ports) {}
  kernel_clients(const kernel_clients&) = delete;
  kernel_clients& operator=(const kernel_clients&) = delete;
  ~kernel_clients() override { close(0); }
  void begin(instant now) override;
  void turn(instant now) override;
  std::optional<instant> next_deadline() override { return std::nullopt; }
  std::vector<client_view> views() const override;
  void close(instant now) override;
  bool closed() const override { return true; }
  int descriptor() const override { return -1; }

 private:
  struct client {
    int fd = -1;
    client_view seen{};
  };
  void turn(client& c);
  void end(client& c, int error);

  std::string interface_;
  ipv4::address server_;
  bool fixed_ports_;
  std::vector<client> all_;
};

}  // namespace pair
