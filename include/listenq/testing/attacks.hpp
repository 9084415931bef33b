// SPDX-License-Identifier: BSL-1.0
// attacks: troubles with a name, each alone, for tables of who survives what: the lab's `attacks` and
// benchmarks/attacks.cpp. A mix of several at once is a `hostility` that a seed draws.
#pragma once

#include <listenq/segment.hpp>
#include <listenq/testing/hostility.hpp>
#include <listenq/time.hpp>

namespace listenq::testing {

struct attack {
  const char* name;
  const char* what;
  void (*begin)(hostility&);
};

/// All of them, peace first.
inline constexpr attack attacks[] = {
    {"peace", "nobody attacks", [](hostility&) {}},
    {"flood", "2000 SYNs a second from addresses that nobody has",
     [](hostility& h) { h.spoofed_flood = 500 * microsecond; }},
    {"prefix", "2000 SYNs a second from one /24, whose hosts answer nothing",
     [](hostility& h) { h.prefix_flood = 500 * microsecond; }},
    {"slow ACKs", "500 handshakes a second that are finished seconds later",
     [](hostility& h) { h.slow_acks = 2 * millisecond; }},
    {"duplicates", "2000 SYNs a second that claim to be of honest hosts",
     [](hostility& h) { h.duplicate_syns = 500 * microsecond; }},
    {"RSTs", "2000 RSTs a second near the right numbers", [](hostility& h) { h.reset_storm = 500 * microsecond; }},
    {"ACKs", "2000 ACKs a second with invented numbers", [](hostility& h) { h.ack_storm = 500 * microsecond; }},
    {"stalls", "400 patient hosts; the application pauses for two seconds, every ten accepts or so",
     [](hostility& h) {
       h.hosts = 400;
       h.think = 5 * second;
       h.stall = 2 * second;
     }},
    {"loss", "every tenth segment is lost", [](hostility& h) { h.link.loss = 0.1; }},
};

/// A hundred honest hosts 20 ms away, two attempts a second each, and the attack.
inline hostility mix_of(const attack& a, int backlog) {
  hostility h;
  h.hosts = 100;
  h.think = 500 * millisecond;
  h.backlog = backlog;
  h.link.delay = 20 * millisecond;
  a.begin(h);
  return h;
}

}  // namespace listenq::testing
