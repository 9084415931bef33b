// SPDX-License-Identifier: BSL-1.0
// Random gaps that are the same on every machine: a sum and comparisons of integers, no logarithm that two libraries
// round differently.
#pragma once

#include <cstdint>
#include <listenq/time.hpp>
#include <listenq/transport/splitmix64.hpp>

namespace explorer {

/// Gaps of a Poisson process.
class poisson {
 public:
  explicit poisson(std::uint64_t seed) : random_(seed) {}

  /// The next gap where there are `rate` events a second, more than 0; at least 1 µs.
  listenq::duration gap(double rate) {
    const double mean = 1e6 / rate;
    const double units = static_cast<double>(exponential()) * (1.0 / 4294967296.0);
    const double length = units * mean;
    return length < 1 ? 1 : length > 1e12 ? 1'000'000'000'000 : static_cast<listenq::duration>(length);
  }

  std::uint32_t draw() { return static_cast<std::uint32_t>(random_.next() >> 32); }

 private:
  /// Exponential with mean 1, in units of 2^-32 (von Neumann 1951: how long does a run of falling numbers last?).
  std::uint64_t exponential() {
    for (std::uint64_t whole = 0;; ++whole) {
      const std::uint32_t first = draw();
      std::uint32_t last = first;
      bool odd = true;
      for (std::uint32_t next = draw(); next < last; next = draw()) {
        last = next;
        odd = !odd;
      }
      if (odd) return (whole << 32) + first;
    }
  }

  listenq::splitmix64 random_;
};

}  // namespace explorer
