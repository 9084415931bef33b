// SPDX-License-Identifier: BSL-1.0
// The guard: a listener of the library in front of lwIP's. It answers SYNs, by a request while there is room for one
// and then by a cookie, and lwIP hears of a connection when its handshake is finished.
//
// How the connection gets into lwIP: there is no call for that, but its lists and the macros that enter a PCB into them
// are in <lwip/priv/tcp_priv.h>, and Debian's library exports what they need. Three ways were tried:
//   a PCB in ESTABLISHED   does not do: the step from SYN_RCVD is what calls the application's accept callback, sets
//   the
//                          first congestion window and takes the data that came with the ACK;
//   a PCB in SYN_RCVD and  is this one. lwIP takes the step itself, with its own code, from that ACK. What it costs is
//   a the ACK as it came     function that knows the fields of a PCB (`half_open`), and so the version of lwIP; the
//   handshake again    works, too: lwIP is fed a SYN, the SYN-ACK is kept back, then the ACK. It needs no field of a
//                          PCB, but lwIP must choose our ISN: LWIP_HOOK_TCP_ISN, for those who compile lwIP
//                          themselves, and they should take this way.
#pragma once

#include <lwip/priv/tcp_priv.h>

#include <listenq/listenq.hpp>

#include "lwip_host.hpp"

namespace lwip_guard {

/// What this lwIP was compiled to do, so that nothing is agreed on that it would not keep.
struct lwip_offer {
  static constexpr const char* name = "lwip_offer";
  static constexpr std::uint16_t mss = TCP_MSS;
  static constexpr std::uint16_t window = TCPWND_MIN16(TCP_WND);
  static constexpr std::uint16_t window_with_timestamps = window;
  static constexpr std::uint8_t window_scale = LWIP_WND_SCALE ? TCP_RCV_SCALE : 0;
  static constexpr bool sack = LWIP_TCP_SACK_OUT;
  static constexpr bool timestamps = LWIP_TCP_TIMESTAMPS;
  static constexpr bool ecn = false;
  static constexpr bool keyed_clock = false;
};

/// Requests that it keeps before cookies answer.
constexpr unsigned requests_kept = 16;

using namespace listenq;
/// FreeBSD's cookie is the one that remembers MSS, window scale and SACK without the help of timestamps. It rounds
/// down: a scale of 10 comes back as 8, lwIP takes the client's window for a quarter of what it is, and is slower for
/// it.
using door = listener<sizing<pipeline<exactly<requests_kept>>>, storage<fixed<requests_kept, 2>>,
                      cookies<under_pressure<freebsd_13_cookie, derived_keys<15 * second>, after_cookie<60 * second>>>,
                      offer<lwip_offer>, child<handles<tcp_pcb*>>>;

class guard {
 public:
  /// Stands before `listener` of `host` until it is destroyed. `key` is secret.
  guard(network& net, lwip_host& host, tcp_pcb_listen& listener, const siphash_key& key);
  ~guard();
  guard(const guard&) = delete;
  guard& operator=(const guard&) = delete;

  // What the listener wants of a stack.
  send_result send(const segment& s) { return host_.send(s); }
  std::optional<tcp_pcb*> make_child(const handshake& h, const segment& last);

 private:
  void receive(const segment& s);

  network& net_;
  lwip_host& host_;
  tcp_pcb_listen& listener_;
  door door_;
  network::wake timer_;
};

}  // namespace lwip_guard
