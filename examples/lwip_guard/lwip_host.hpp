// SPDX-License-Identifier: BSL-1.0
// lwIP as a host of the in-memory network: its network interface is a port of the network, its clock is the network's.
// On a device this is the driver and sys_now(); nothing in it knows of the guard.
#pragma once

#include <lwip/netif.h>

#include <functional>
#include <listenq/transport/in_memory.hpp>

namespace lwip_guard {

/// lwIP is global, so there is one of these in a process.
class lwip_host {
 public:
  using receiver = std::function<void(const listenq::segment&)>;

  lwip_host(listenq::network& net, const listenq::endpoint& at);
  ~lwip_host();
  lwip_host(const lwip_host&) = delete;
  lwip_host& operator=(const lwip_host&) = delete;

  /// Arriving segments go to `r`, which passes on what is lwIP's; without one all of them are.
  void in_front(receiver r) { front_ = std::move(r); }
  /// A segment for lwIP, as an IP packet through its interface.
  void input(const listenq::segment& s);
  /// A segment for the network, lwIP's or the guard's.
  listenq::send_result send(const listenq::segment& s);
  /// SYN-ACKs among them, repeated ones included.
  std::size_t syn_acks() const { return syn_acks_; }

 private:
  void arrived();
  void let_timers_run();
  void rearm();

  listenq::network& net_;
  listenq::network::port port_;
  listenq::network::wake timer_;
  netif netif_{};
  receiver front_;
  std::size_t syn_acks_ = 0;
};

}  // namespace lwip_guard
