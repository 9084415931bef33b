// SPDX-License-Identifier: BSL-1.0
// The same events where the keyed hash is AES-128 and the CPU has it.
#include <listenq/mirror.hpp>
#include <listenq/policy/aes128.hpp>
#include <listenq/preset/linux_6_18.hpp>

#include "events.hpp"

using door_type = with<preset::linux_6_18, hashing<aes128>>;

int main() {
  if (!aes128::hashes_eight()) return 0;
  handshakes<door_type, aes128>("aes_handshake_4096", 4096);
  bursts<door_type, aes128>("aes_burst_16_handshakes_4096", 4096);
  overload<door_type, aes128>("aes_syn_at_full_table", "aes_stray_ack", "aes_duplicate_syn");
  return bad == 0 ? 0 : 1;
}
