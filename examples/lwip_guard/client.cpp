// SPDX-License-Identifier: BSL-1.0
#include "client.hpp"

#include <algorithm>
#include <array>

namespace lwip_guard {

using namespace listenq;

namespace {
kernel_profile impatient(kernel_profile p) {
  p.syn_retries = 5;
  return p;
}
}  // namespace

client::client(network& net, ipv4::address from, const endpoint& to, const kernel_profile& profile, std::size_t bytes)
    : net_(net),
      port_(net.connect_port(from, to).port),
      timer_(net, [this] { tick(); }),
      connector_(impatient(profile), {to.address, from, to.port, port_.local().port}, 0x1000'0000),
      began_(net.now()),
      bytes_(bytes) {
  port_.on_arrival([this] { arrived(); });
  connector_.start(net.now(), port_);
  timer_.set(connector_.next_deadline());
}

void client::arrived() {
  while (const auto s = port_.receive()) {
    if (connection_) {
      connection_->receive(*s, net_.now(), port_);
    } else if (connector_.receive(*s, net_.now(), port_) == connector_event::connected) {
      waited_ = net_.now() - began_;
      connection_.emplace(connector_.profile(), connector_.established(), opening::active);
    }
  }
  work();
}

void client::tick() {
  if (connection_) {
    connection_->tick(net_.now(), port_);
  } else {
    connector_.tick(net_.now(), port_);
  }
  work();
}

void client::work() {
  if (!connection_) return timer_.set(connector_.next_deadline());
  std::array<std::byte, 4096> some;
  while (const std::size_t n = connection_->read(some.data(), some.size(), net_.now(), port_)) {
    for (std::size_t i = 0; i < n; ++i) intact_ = intact_ && some[i] == byte_at(echoed_ + i);
    echoed_ += n;
  }
  while (given_ < bytes_) {
    const std::size_t n = std::min(some.size(), bytes_ - given_);
    for (std::size_t i = 0; i < n; ++i) some[i] = byte_at(given_ + i);
    const std::size_t taken = connection_->send({some.data(), n}, net_.now(), port_);
    if (taken == 0) break;
    given_ += taken;
  }
  if (echoed_ >= bytes_) connection_->shutdown_send(net_.now(), port_);
  timer_.set(connection_->next_deadline());
}

}  // namespace lwip_guard
