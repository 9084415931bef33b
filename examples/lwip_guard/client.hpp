// SPDX-License-Identifier: BSL-1.0
// An honest client: it connects, sends bytes, reads them back, and is done. The library's own connection.
#pragma once

#include <cstddef>
#include <listenq/stream/connection.hpp>
#include <listenq/stream/connector.hpp>
#include <listenq/transport/in_memory.hpp>
#include <optional>

namespace lwip_guard {

class client {
 public:
  /// It starts at once, gives up after six SYNs (7 s), and wants `bytes` back.
  client(listenq::network& net, listenq::ipv4::address from, const listenq::endpoint& to,
         const listenq::kernel_profile& profile, std::size_t bytes);

  bool connected() const { return connection_.has_value(); }
  /// How long the handshake took; meaningful when `connected`.
  listenq::duration waited() const { return waited_; }
  /// What both sides agreed on; meaningful when `connected`.
  const listenq::established& start() const { return connection_->start(); }
  /// Bytes that came back as they were sent, in order.
  std::size_t echoed() const { return echoed_; }
  /// All of them, none else, and the other side has closed, too.
  bool intact() const { return intact_ && echoed_ == bytes_ && connection_ && connection_->end_of_stream(); }
  bool was_reset() const { return connection_ && connection_->error() == listenq::connection_error::reset; }

 private:
  void arrived();
  void tick();
  void work();
  static std::byte byte_at(std::size_t i) { return static_cast<std::byte>((i * 2654435761U) >> 13); }

  listenq::network& net_;
  listenq::network::port port_;
  listenq::network::wake timer_;
  listenq::connector connector_;
  std::optional<listenq::connection> connection_;
  listenq::instant began_;
  listenq::duration waited_ = 0;
  std::size_t bytes_;
  std::size_t given_ = 0;
  std::size_t echoed_ = 0;
  bool intact_ = true;
};

}  // namespace lwip_guard
