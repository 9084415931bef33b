// SPDX-License-Identifier: BSL-1.0
// The same events where requests are compact and a hand sweeps over them.
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_6_18.hpp>

#include <cstdio>

#include "events.hpp"

using door_type = with<preset::linux_6_18, requests<compact_requests>, clockwork<sweep<10 * millisecond>>,
                       validation<linux_validation<linux_era::v3_12>>>;
using hash = siphash<2, 4>;

int main() {
  handshakes<door_type, hash>("compact_handshake_4096", 4096);
  if (hash::hashes_eight()) bursts<door_type, hash>("compact_burst_16_handshakes_4096", 4096);
  overload<door_type, hash>("compact_syn_at_full_table", "compact_stray_ack", "compact_duplicate_syn");
  std::printf("= bytes_per_compact_request_ipv4 %zu\n", door_type::bytes_per_request);
  std::printf("= bytes_per_compact_request_ipv6 %zu\n", with<door_type, family<ipv6>>::bytes_per_request);
  return bad == 0 ? 0 : 1;
}
