// SPDX-License-Identifier: BSL-1.0
// hostility: what one simulated run is up against. Every run draws its own mix from its seed, with most troubles absent
// in most runs (swarm testing: Groce et al. 2012), since a run that has everything at once reaches less.
#pragma once

#include <cmath>
#include <cstdint>
#include <listenq/time.hpp>
#include <listenq/transport/in_memory.hpp>
#include <listenq/transport/splitmix64.hpp>
#include <string>

namespace listenq::testing {

/// One mix. Gaps are the mean time between two segments of an attack; 0: it does not happen.
struct hostility {
  link_options link{};         ///< between everybody and the server
  std::uint32_t hosts = 1000;  ///< honest ones, each connecting again and again
  duration think = second;     ///< mean pause of a host between two attempts
  int backlog = 16;
  duration spoofed_flood = 0;   ///< SYNs from addresses that nobody has
  duration prefix_flood = 0;    ///< SYNs from 256 addresses of one prefix, which answer nothing
  duration duplicate_syns = 0;  ///< SYNs of honest hosts, again or with another ISN
  duration reset_storm = 0;     ///< RSTs at honest four-tuples, with numbers near the right ones
  duration ack_storm = 0;       ///< ACKs with numbers that nobody has sent
  duration slow_acks = 0;       ///< handshakes that are finished long after the SYN-ACK
  duration accept_every = millisecond;
  duration stall = 0;       ///< mean length of a pause of the application, one every ten of them
  duration relisten = 0;    ///< mean time between two listen() with another backlog
  duration reopen = 0;      ///< mean time between two close() and listen()
  duration retune = 0;      ///< mean time between two changes of a tunable
  duration clock_jump = 0;  ///< mean time between two jumps of the listener's clock, forwards or back
  duration handover = 0;    ///< mean time between two changes of a group: see sharded.hpp

  friend bool operator==(const hostility&, const hostility&) = default;
};

/// Draws a mix, with hand-overs only if `shared`. The same generator in the same state gives the same mix on every
/// machine.
inline hostility draw_hostility(splitmix64& random, bool shared = false) {
  hostility h;
  const auto maybe = [&random](double p, duration least, duration most) -> duration {
    if (!random.chance(p)) return 0;
    return least + static_cast<duration>(random.up_to(static_cast<std::uint64_t>(most - least)));
  };
  h.link.delay = static_cast<duration>(100 + random.up_to(80'000));
  h.link.jitter = maybe(0.5, 1, 50 * millisecond);
  h.link.loss = random.chance(0.4) ? static_cast<double>(random.up_to(300)) / 1000 : 0;
  h.link.duplicate = random.chance(0.3) ? static_cast<double>(random.up_to(200)) / 1000 : 0;
  h.hosts = static_cast<std::uint32_t>(10 + random.up_to(3000));
  h.think = static_cast<duration>(10'000 + random.up_to(2'000'000));
  constexpr int backlogs[] = {0, 1, 2, 5, 16, 100, 128, 511};
  h.backlog = backlogs[random.up_to(7)];
  h.spoofed_flood = maybe(0.4, 20, 2 * millisecond);
  h.prefix_flood = maybe(0.3, 20, 2 * millisecond);
  h.duplicate_syns = maybe(0.3, 50, 10 * millisecond);
  h.reset_storm = maybe(0.3, 50, 10 * millisecond);
  h.ack_storm = maybe(0.3, 50, 10 * millisecond);
  h.slow_acks = maybe(0.3, 200, 20 * millisecond);
  h.accept_every = static_cast<duration>(10 + random.up_to(20'000));
  h.stall = maybe(0.4, 10 * millisecond, 5 * second);
  h.relisten = maybe(0.2, 100 * millisecond, 5 * second);
  h.reopen = maybe(0.2, second, 20 * second);
  h.retune = maybe(0.3, 100 * millisecond, 5 * second);
  h.clock_jump = maybe(0.2, 500 * millisecond, 10 * second);
  if (shared) h.handover = maybe(0.8, 20 * millisecond, 2 * second);
  return h;
}

/// "510 hosts, listen(16), 3.1 % loss, a spoofed flood, stalls": what is in a mix.
inline std::string to_text(const hostility& h) {
  std::string t = std::to_string(h.hosts);
  t.append(" hosts, listen(").append(std::to_string(h.backlog)).append(")");
  const auto permille = [&t](double p, const char* what) {
    const long n = std::lround(p * 1000);
    if (n == 0) return;
    t.append(", ").append(std::to_string(n / 10)).append(".").append(std::to_string(n % 10)).append(" % ").append(what);
  };
  const auto trouble = [&t](duration d, const char* what) {
    if (d != 0) t.append(", ").append(what);
  };
  permille(h.link.loss, "loss");
  permille(h.link.duplicate, "duplicates");
  trouble(h.link.jitter, "reordering");
  trouble(h.spoofed_flood, "a spoofed flood");
  trouble(h.prefix_flood, "a flood from one prefix");
  trouble(h.duplicate_syns, "duplicate SYNs");
  trouble(h.reset_storm, "a RST storm");
  trouble(h.ack_storm, "an ACK storm");
  trouble(h.slow_acks, "slow ACKs");
  trouble(h.stall, "stalls");
  trouble(h.relisten, "other backlogs");
  trouble(h.reopen, "close and listen");
  trouble(h.retune, "other tunables");
  trouble(h.clock_jump, "clock jumps");
  trouble(h.handover, "hand-overs");
  return t;
}

}  // namespace listenq::testing
