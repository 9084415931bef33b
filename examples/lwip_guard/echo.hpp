// SPDX-License-Identifier: BSL-1.0
// The application behind lwIP: it sends back what it reads. An ordinary one, by lwIP's raw API.
#pragma once

#include <lwip/tcp.h>

#include <cstddef>
#include <cstdint>

namespace lwip_guard {

class echo {
 public:
  /// Null if lwIP has no PCB for it.
  explicit echo(std::uint16_t port);
  tcp_pcb_listen* listener() { return listener_; }
  std::size_t accepted() const { return accepted_; }

 private:
  static err_t on_accept(void* self, tcp_pcb* pcb, err_t error);
  static err_t on_bytes(void* self, tcp_pcb* pcb, pbuf* bytes, err_t error);

  tcp_pcb_listen* listener_ = nullptr;
  std::size_t accepted_ = 0;
};

}  // namespace lwip_guard
