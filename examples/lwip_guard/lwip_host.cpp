// SPDX-License-Identifier: BSL-1.0
#include "lwip_host.hpp"

#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/sys.h>
#include <lwip/timeouts.h>

#include <array>
#include <listenq/wire/tcp.hpp>

namespace lwip_guard {

namespace {

using namespace listenq;

const network* clock_of_lwip = nullptr;

constexpr std::size_t mtu = 1500;

/// What lwIP sends leaves through the port.
err_t output(netif* n, pbuf* p, const ip4_addr_t*) {
  std::array<std::byte, mtu> bytes;
  const std::size_t size = pbuf_copy_partial(p, bytes.data(), mtu, 0);
  const auto packet = wire::read_packet<ipv4>({bytes.data(), size});
  if (!packet) return ERR_VAL;
  return static_cast<lwip_host*>(n->state)->send(packet.segment) == send_result::sent ? ERR_OK : ERR_IF;
}

err_t set_up(netif* n) {
  n->name[0] = 'l';
  n->name[1] = 'q';
  n->mtu = mtu;
  n->output = output;
  return ERR_OK;
}

}  // namespace

lwip_host::lwip_host(network& net, const endpoint& at)
    : net_(net), port_(net.bind(at.address, at.port).port), timer_(net, [this] { let_timers_run(); }) {
  clock_of_lwip = &net;
  lwip_init();
  const ip4_addr_t address{lwip_htonl(at.address.value)}, mask{lwip_htonl(0xffffff00U)}, gateway{0};
  netif_add(&netif_, &address, &mask, &gateway, this, set_up, ip_input);
  netif_set_default(&netif_);
  netif_set_up(&netif_);
  netif_set_link_up(&netif_);
  port_.on_arrival([this] { arrived(); });
  rearm();
}

lwip_host::~lwip_host() { netif_remove(&netif_); }

void lwip_host::input(const segment& s) {
  std::array<std::byte, mtu> bytes;
  const auto size = static_cast<u16_t>(wire::write_packet(s, {bytes.data(), bytes.size()}));
  pbuf* const p = size == 0 ? nullptr : pbuf_alloc(PBUF_RAW, size, PBUF_RAM);
  if (p == nullptr) return;
  pbuf_take(p, bytes.data(), size);
  if (netif_.input(p, &netif_) != ERR_OK) pbuf_free(p);
  rearm();
}

send_result lwip_host::send(const segment& s) {
  if (s.flags.has(flag::syn | flag::ack)) ++syn_acks_;
  return port_.send(s);
}

void lwip_host::arrived() {
  while (const auto s = port_.receive()) front_ ? front_(*s) : input(*s);
}

void lwip_host::let_timers_run() {
  sys_check_timeouts();
  rearm();
}

void lwip_host::rearm() {
  const u32_t sleep = sys_timeouts_sleeptime();
  timer_.set(sleep == SYS_TIMEOUTS_SLEEPTIME_INFINITE ? std::nullopt : std::optional{net_.now() + sleep * millisecond});
}

}  // namespace lwip_guard

/// The port's clock, in milliseconds: here it is virtual.
extern "C" u32_t sys_now() {
  const auto now = lwip_guard::clock_of_lwip == nullptr ? 0 : lwip_guard::clock_of_lwip->now();
  return static_cast<u32_t>(now / listenq::millisecond);
}
