// SPDX-License-Identifier: BSL-1.0
#include "guard.hpp"

namespace lwip_guard {

namespace {

bool is(const tcp_pcb& p, const four_tuple& key) {
  return p.remote_port == key.peer_port && p.local_port == key.local_port &&
         ip_2_ip4(&p.remote_ip)->addr == lwip_htonl(key.peer_address.value) &&
         ip_2_ip4(&p.local_ip)->addr == lwip_htonl(key.local_address.value);
}

tcp_pcb* find(const four_tuple& key) {
  for (tcp_pcb* list : {tcp_active_pcbs, tcp_tw_pcbs}) {
    for (; list != nullptr; list = list->next) {
      if (is(*list, key)) return list;
    }
  }
  return nullptr;
}

/// The PCB as tcp_listen_input() leaves it when its SYN-ACK has been sent; null if there is none to be had.
tcp_pcb* half_open(tcp_pcb_listen& listener, const handshake& h) {
  tcp_pcb* const p = tcp_alloc(listener.prio);
  if (p == nullptr) return nullptr;
  ip_addr_set_ip4_u32_val(p->local_ip, lwip_htonl(h.key.local_address.value));
  ip_addr_set_ip4_u32_val(p->remote_ip, lwip_htonl(h.key.peer_address.value));
  p->local_port = h.key.local_port;
  p->remote_port = h.key.peer_port;
  p->state = SYN_RCVD;
  p->rcv_nxt = h.irs + 1;
  p->rcv_ann_right_edge = h.irs + 1 + h.window;
  p->lastack = h.iss;
  p->snd_nxt = p->snd_lbb = h.iss + 1;
  p->snd_wl1 = h.irs - 1;  // the window of the ACK counts, whatever it is
  p->snd_wl2 = h.iss;
  p->callback_arg = listener.callback_arg;
  p->listener = &listener;
  p->so_options = listener.so_options & SOF_INHERITED;
  p->netif_idx = listener.netif_idx;
#if LWIP_WND_SCALE
  if (h.window_scaling) {
    p->snd_scale = h.send_scale;
    p->rcv_scale = h.receive_scale;
    p->rcv_wnd = p->rcv_ann_wnd = TCP_WND;
    tcp_set_flags(p, TF_WND_SCALE);
  }
#endif
#if LWIP_TCP_TIMESTAMPS
  if (h.timestamps) {
    p->ts_recent = h.ts_recent;
    tcp_set_flags(p, TF_TIMESTAMP);
  }
#endif
#if LWIP_TCP_SACK_OUT
  if (h.sack) tcp_set_flags(p, TF_SACK);
#endif
  TCP_REG_ACTIVE(p);
  p->mss = tcp_eff_send_mss(h.peer_mss, &p->local_ip, &p->remote_ip);
  return p;
}

}  // namespace

guard::guard(network& net, lwip_host& host, tcp_pcb_listen& listener, const siphash_key& key)
    : net_(net), host_(host), listener_(listener), door_(siphash<2, 4>{key}), timer_(net, [this] {
        door_.tick(net_.now(), *this);
        timer_.set(door_.next_deadline());
      }) {
  door_.listen(1, net.now());
  host_.in_front([this](const segment& s) { receive(s); });
}

guard::~guard() { host_.in_front(nullptr); }

void guard::receive(const segment& s) {
  if (s.destination.port != listener_.local_port || find(four_tuple_of(s)) != nullptr) return host_.input(s);
  door_.receive(s, net_.now(), *this);
  while (door_.accept(net_.now())) {  // lwIP has no accept queue: its application has it already
  }
  timer_.set(door_.next_deadline());
}

std::optional<tcp_pcb*> guard::make_child(const handshake& h, const segment& last) {
  if (half_open(listener_, h) == nullptr) return std::nullopt;
  host_.input(last);
  tcp_pcb* const p = find(h.key);  // gone, if the application did not want it
  if (p == nullptr) return std::nullopt;
  return p;
}

}  // namespace lwip_guard
