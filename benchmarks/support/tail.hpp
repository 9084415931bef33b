// SPDX-License-Identifier: BSL-1.0
// A histogram of what single events cost: buckets of a quarter of an octave, read by percentiles.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "tables.hpp"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace bench {

/// A count that goes on whatever the thread does: the time stamp counter, elsewhere nanoseconds.
inline std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
  unsigned core = 0;
  return __rdtscp(&core);
#else
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

/// Nanoseconds of a tick, measured over 20 ms.
inline double ns_per_tick() {
  const auto from = std::chrono::steady_clock::now();
  const std::uint64_t first = ticks();
  auto to = from;
  while (to - from < std::chrono::milliseconds(20)) to = std::chrono::steady_clock::now();
  return static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count()) /
         static_cast<double>(ticks() - first);
}

/// Times one event after the other, in ticks. One that seems to have taken long may have been interrupted: then it is
/// what the thread's CPU time says, at most 64 events too much.
class stopwatch {
 public:
  explicit stopwatch(double ns_a_tick) : ns_(ns_a_tick), long_(static_cast<std::uint64_t>(20'000 / ns_a_tick)) {}
  void start() noexcept {
    if (events_++ % 64 == 0) cpu_ = cpu_ns();
    start_ = ticks();
  }
  std::uint64_t stop() noexcept {
    const std::uint64_t took = ticks() - start_;
    if (took < long_) return took;
    const double now = cpu_ns();
    const auto cpu = static_cast<std::uint64_t>((now - cpu_) / ns_);
    cpu_ = now;
    return std::min(took, cpu);
  }

 private:
  double ns_;
  std::uint64_t long_;
  std::uint64_t start_ = 0;
  std::uint64_t events_ = 0;
  double cpu_ = 0;
};

class histogram {
 public:
  static constexpr std::size_t buckets = 4 * 48;
  void add(std::uint64_t t) noexcept {
    ++counts_[bucket_of(t)];
    ++all_;
    most_ = std::max(most_, t);
  }
  std::uint64_t most() const noexcept { return most_; }
  /// Events of a bucket, of all of them.
  double share(std::size_t bucket) const noexcept {
    return all_ == 0 ? 0 : static_cast<double>(counts_[bucket]) / static_cast<double>(all_);
  }
  /// Where the bucket ends in which the p-th of them lies, 0 < p <= 1; never beyond the most.
  double percentile(double p) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(p * static_cast<double>(all_));
    std::uint64_t seen = 0;
    for (std::size_t b = 0; b < buckets; ++b) {
      seen += counts_[b];
      if (seen >= wanted && seen > 0) return std::min(end_of(b), static_cast<double>(most_));
    }
    return static_cast<double>(most_);
  }
  static std::size_t bucket_of(std::uint64_t t) noexcept {
    if (t < 4) return static_cast<std::size_t>(t);
    const auto octave = static_cast<std::size_t>(std::bit_width(t)) - 1;
    return std::min(buckets - 1, 4 * (octave - 1) + ((t >> (octave - 2)) & 3U));
  }
  /// The first value that is beyond it.
  static double end_of(std::size_t bucket) noexcept {
    if (bucket < 4) return static_cast<double>(bucket + 1);
    const std::size_t octave = bucket / 4 + 1;
    return static_cast<double>(std::uint64_t{1} << (octave - 2)) * static_cast<double>(4 + bucket % 4 + 1);
  }

 private:
  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t all_ = 0;
  std::uint64_t most_ = 0;
};

}  // namespace bench
