// SPDX-License-Identifier: BSL-1.0
// What does an event cost, in instructions? Run under callgrind by count.py, which divides and compares. Instructions
// are exact whatever else the machine does; what they cannot see are cache misses and stalls, which the timed
// benchmarks show. Here: the preset and the floor.
#include <listenq/preset/linux_6_18.hpp>

#include <cstdio>

#include "../floor/linux_6_18.hpp"
#include "events.hpp"

using door_type = preset::linux_6_18;
using hash = siphash<2, 4>;

int main() {
  {
    hollow door;
    crowd c{4096};
    measure("driver", [&] { c.drive(door); });
  }
  handshakes<door_type, hash>("handshake_256", 256);
  handshakes<door_type, hash>("handshake_4096", 4096);
  handshakes<door_type, hash>("handshake_1048576", 1U << 20);
  if (hash::hashes_eight())
    bursts<door_type, hash>("burst_16_handshakes_4096", 4096);  // a burst looks ahead on such CPUs only
  overload<door_type, hash>("syn_at_full_table", "stray_ack", "duplicate_syn");
  handshakes<floor_of::linux_6_18, hash>("floor_handshake_4096", 4096);
  overload<floor_of::linux_6_18, hash>("floor_syn_at_full_table", "floor_stray_ack", "floor_duplicate_syn");
  timers<door_type, hash>();
  cookie_frames<door_type, hash>();
  std::printf("= bytes_per_request_ipv4 %zu\n", door_type::bytes_per_request);
  std::printf("= bytes_per_request_ipv6 %zu\n", listener<family<ipv6>>::bytes_per_request);
  std::printf("= bytes_of_the_listener %zu\n", sizeof(door_type));
  return bad == 0 ? 0 : 1;
}
