// SPDX-License-Identifier: BSL-1.0
// The generator behind everything that a transport draws: small, seeded, the same on every machine. Not for keys.
#pragma once

#include <cstdint>

namespace listenq {

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, the same everywhere.
class splitmix64 {
 public:
  explicit constexpr splitmix64(std::uint64_t seed) noexcept : state_(seed) {}
  constexpr std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  /// Evenly 0..`most`, but for a bias below 2^-32 while `most` is below 2^32.
  constexpr std::uint64_t up_to(std::uint64_t most) noexcept { return most == ~0ULL ? next() : next() % (most + 1); }
  /// True with probability `p`; 0 never, 1 always. Draws nothing for 0, so that a clean link costs no randomness.
  constexpr bool chance(double p) noexcept {
    return p > 0 && static_cast<double>(next() >> 11) * (1.0 / 9007199254740992.0) < p;
  }

 private:
  std::uint64_t state_;
};

}  // namespace listenq
