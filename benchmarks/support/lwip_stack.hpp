// SPDX-License-Identifier: BSL-1.0
// lwIP as a thing that frames are fed to: its raw API, an interface whose output is kept, a listener that counts. One
// in a process, as lwIP is.
#pragma once

#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/sink.hpp>
#include <vector>

namespace bench {

class lwip_stack {
 public:
  /// Listens on 192.0.2.1:80. Whatever it sends is handed to `out`, a function of a frame.
  template <class Out>
  explicit lwip_stack(Out& out)
      : out_(&out), call_([](void* to, listenq::byte_view f) { (*static_cast<Out*>(to))(f); }) {
    lwip_init();
    const ip4_addr_t address{lwip_htonl(0xc0000201U)}, mask{lwip_htonl(0xffffff00U)}, gateway{0};
    netif_add(&netif_, &address, &mask, &gateway, this, set_up, ip_input);
    netif_set_default(&netif_);
    netif_set_up(&netif_);
    netif_set_link_up(&netif_);
    tcp_pcb* const pcb = tcp_new_ip_type(IPADDR_TYPE_V4);
    tcp_arg(pcb, this);
    tcp_bind(pcb, IP4_ADDR_ANY, 80);
    listener_ = tcp_listen_with_backlog(pcb, 255);
    tcp_accept(listener_, on_accept);
  }
  ~lwip_stack() {
    drop_all();
    tcp_close(listener_);
    netif_remove(&netif_);
  }
  lwip_stack(const lwip_stack&) = delete;
  lwip_stack& operator=(const lwip_stack&) = delete;

  /// As a driver does: the frame is copied into a buffer of lwIP's, which goes in.
  void input(listenq::byte_view frame) {
    pbuf* const p = pbuf_alloc(PBUF_RAW, static_cast<u16_t>(frame.size), PBUF_RAM);
    if (p == nullptr) return;
    pbuf_take(p, frame.data, static_cast<u16_t>(frame.size));
    if (netif_.input(p, &netif_) != ERR_OK) pbuf_free(p);
  }
  /// The same without the way in: what the buffer alone costs.
  static void input_nothing(listenq::byte_view frame) {
    pbuf* const p = pbuf_alloc(PBUF_RAW, static_cast<u16_t>(frame.size), PBUF_RAM);
    if (p == nullptr) return;
    pbuf_take(p, frame.data, static_cast<u16_t>(frame.size));
    pbuf_free(p);
  }
  std::size_t accepted() const { return accepted_; }
  static std::size_t connections() {
    std::size_t n = 0;
    for (const tcp_pcb* p = tcp_active_pcbs; p != nullptr; p = p->next) ++n;
    return n;
  }
  /// Gives everything back, without a word to anybody.
  void drop_all() {
    silent_ = true;
    while (tcp_active_pcbs != nullptr) tcp_abort(tcp_active_pcbs);
    while (tcp_tw_pcbs != nullptr) tcp_abort(tcp_tw_pcbs);
    silent_ = false;
  }

 private:
  static err_t set_up(netif* n) {
    n->name[0] = 'b';
    n->name[1] = 'q';
    n->mtu = 1500;
    n->output = output;
    return ERR_OK;
  }
  static err_t output(netif* n, pbuf* p, const ip4_addr_t*) {
    const auto& self = *static_cast<const lwip_stack*>(n->state);
    if (self.silent_) return ERR_OK;
    std::array<std::byte, 128> bytes;
    const std::size_t size = pbuf_copy_partial(p, bytes.data(), bytes.size(), 0);
    self.call_(self.out_, {bytes.data(), size});
    return ERR_OK;
  }
  static err_t on_accept(void* self, tcp_pcb* pcb, err_t error) {
    if (pcb == nullptr || error != ERR_OK) return ERR_VAL;
    ++static_cast<lwip_stack*>(self)->accepted_;
    tcp_backlog_accepted(pcb);
    return ERR_OK;
  }

  netif netif_{};
  tcp_pcb* listener_ = nullptr;
  std::size_t accepted_ = 0;
  bool silent_ = false;
  void* out_;
  void (*call_)(void*, listenq::byte_view);
};

}  // namespace bench
