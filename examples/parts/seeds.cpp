// SPDX-License-Identifier: BSL-1.0
#include "seeds.hpp"

#include <listenq/transport/splitmix64.hpp>

namespace lab {

stack_keys keys_of(std::uint64_t seed) {
  splitmix64 draw(seed);
  const auto key = [&draw] {
    const std::uint64_t k0 = draw.next();
    return siphash_key{k0, draw.next()};
  };
  stack_keys k;
  k.hash = key();
  k.cookie = key();
  k.fast_open.primary = key();
  return k;
}

seq_number client_isn(std::uint64_t seed, std::uint16_t port) {
  return static_cast<seq_number>(splitmix64(seed * 0x9e3779b97f4a7c15U + port).next());
}

}  // namespace lab
