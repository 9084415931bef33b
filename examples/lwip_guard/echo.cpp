// SPDX-License-Identifier: BSL-1.0
#include "echo.hpp"

#include <lwip/priv/tcp_priv.h>

namespace lwip_guard {

echo::echo(std::uint16_t port) {
  tcp_pcb* const pcb = tcp_new_ip_type(IPADDR_TYPE_V4);
  if (pcb == nullptr) return;
  tcp_arg(pcb, this);
  tcp_bind(pcb, IP4_ADDR_ANY, port);
  tcp_pcb* const listening = tcp_listen(pcb);
  if (listening == nullptr) return;
  tcp_accept(listening, on_accept);
  listener_ = reinterpret_cast<tcp_pcb_listen*>(listening);
}

err_t echo::on_accept(void* self, tcp_pcb* pcb, err_t error) {
  if (pcb == nullptr || error != ERR_OK) return ERR_VAL;  // lwIP tells of a SYN for which it had no PCB, too
  ++static_cast<echo*>(self)->accepted_;
  tcp_recv(pcb, on_bytes);
  return ERR_OK;
}

err_t echo::on_bytes(void*, tcp_pcb* pcb, pbuf* bytes, err_t) {
  if (bytes == nullptr) return tcp_close(pcb);
  if (tcp_sndbuf(pcb) < bytes->tot_len) return ERR_MEM;  // lwIP keeps them and asks again
  for (const pbuf* b = bytes; b != nullptr; b = b->next) {
    if (tcp_write(pcb, b->payload, b->len, TCP_WRITE_FLAG_COPY) == ERR_OK) continue;
    tcp_abort(pcb);
    pbuf_free(bytes);
    return ERR_ABRT;
  }
  tcp_recved(pcb, bytes->tot_len);
  pbuf_free(bytes);
  tcp_output(pcb);
  return ERR_OK;
}

}  // namespace lwip_guard
