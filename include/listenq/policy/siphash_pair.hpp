// SPDX-License-Identifier: BSL-1.0
// SipHash of two keys of one length, in step: bit for bit what `siphash` yields for each, in less time than one after
// the other. A round waits for itself most of the time, and neither of the two waits for the other.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <listenq/policy/hashing.hpp>

namespace listenq::detail {

/// Two numbers that are treated alike.
struct number_pair {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
};

/// Two numbers for each of eight.
struct eight_macs {
  std::uint64_t a[8], b[8];
};

/// Two keys, in the middle of it.
struct siphash_pair {
  number_pair v0, v1, v2, v3;

  constexpr siphash_pair(const siphash_key& first, const siphash_key& second) noexcept
      : v0{first.k0 ^ 0x736f6d6570736575U, second.k0 ^ 0x736f6d6570736575U},
        v1{first.k1 ^ 0x646f72616e646f6dU, second.k1 ^ 0x646f72616e646f6dU},
        v2{first.k0 ^ 0x6c7967656e657261U, second.k0 ^ 0x6c7967656e657261U},
        v3{first.k1 ^ 0x7465646279746573U, second.k1 ^ 0x7465646279746573U} {}

  // Step by step for both, and recursion instead of loops: compilers keep this order, and unroll nothing at -O2.
  template <int Rounds>
  [[gnu::always_inline]] constexpr void rounds() noexcept {
    add(v0, v1);
    add(v2, v3);
    turn(v1, 13);
    turn(v3, 16);
    mix(v1, v0);
    mix(v3, v2);
    turn(v0, 32);
    add(v2, v1);
    add(v0, v3);
    turn(v1, 17);
    turn(v3, 21);
    mix(v1, v2);
    mix(v3, v0);
    turn(v2, 32);
    if constexpr (Rounds > 1) rounds<Rounds - 1>();
  }
  /// A block of each.
  [[gnu::always_inline]] constexpr void absorb(number_pair m) noexcept {
    mix(v3, m);
    rounds<2>();
    mix(v0, m);
  }
  /// SipHash-2-4 of what was absorbed, `bytes` in all, a multiple of eight.
  [[gnu::always_inline]] constexpr number_pair finish(std::size_t bytes) noexcept {
    absorb({std::uint64_t{bytes} << 56, std::uint64_t{bytes} << 56});
    mix(v2, {0xff, 0xff});
    rounds<4>();
    return {v0.a ^ v1.a ^ v2.a ^ v3.a, v0.b ^ v1.b ^ v2.b ^ v3.b};
  }

 private:
  [[gnu::always_inline]] static constexpr void add(number_pair& x, number_pair y) noexcept { x.a += y.a, x.b += y.b; }
  [[gnu::always_inline]] static constexpr void mix(number_pair& x, number_pair y) noexcept { x.a ^= y.a, x.b ^= y.b; }
  [[gnu::always_inline]] static constexpr void turn(number_pair& x, int by) noexcept {
    x.a = std::rotl(x.a, by);
    x.b = std::rotl(x.b, by);
  }
};

}  // namespace listenq::detail
