// SPDX-License-Identifier: BSL-1.0
// prefix_budget: `per_prefix`, a budget for each network that requests come from, in memory that does not grow with
// the number of networks: a count-min sketch (Cormode and Muthukrishnan, 2005) under the listener's key.
//
//   row 0   [ 0 ][ 3 ][ 0 ][ 1 ] ...     a prefix has one counter in each row; its requests count in all of them;
//   row 1   [ 1 ][ 0 ][ 0 ][ 3 ] ...     the smallest is the estimate, which is never too small
//   row 2   [ 3 ][ 1 ][ 0 ][ 0 ] ...
//
// So no prefix ever holds more than its share. A prefix with room can be refused when others collide with it in every
// row: each row adds up to the live requests, so at most limit / share of its counters are that high, and the chance is
// at most (limit / (share x Width))^Rows: with a quarter each, 256 and 3, four in a million. There is no "table full".
// It does not know who is spoofed: a flood from everywhere is evictions' and cookies' business.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/policy/budget.hpp>
#include <listenq/policy/hashing.hpp>
#include <listenq/policy/sizing.hpp>
#include <listenq/static_array.hpp>

namespace listenq {

namespace detail {

/// The first `bits` bits of 32.
constexpr std::uint32_t first_bits(std::uint32_t word, unsigned bits) noexcept {
  return bits >= 32 ? word : word & ~(0xffffffffU >> bits);
}

/// The prefix of an address, as words to hash. Families other than these are taken whole.
template <addressing A, unsigned V4Bits, unsigned V6Bits>
struct prefix {
  static constexpr std::size_t count = A::words;
  static constexpr std::uint32_t word(const typename A::address& a, std::size_t i) noexcept { return A::word(a, i); }
};
template <unsigned V4Bits, unsigned V6Bits>
struct prefix<ipv4, V4Bits, V6Bits> {
  static constexpr std::size_t count = 1;
  static constexpr std::uint32_t word(const ipv4::address& a, std::size_t) noexcept {
    return first_bits(a.value, V4Bits);
  }
};
template <unsigned V4Bits, unsigned V6Bits>
struct prefix<ipv6, V4Bits, V6Bits> {
  static constexpr std::size_t count = 4;
  static constexpr std::uint32_t word(const ipv6::address& a, std::size_t i) noexcept {
    const auto before = static_cast<unsigned>(32 * i);
    return first_bits(a.value[i], V6Bits > before ? V6Bits - before : 0);
  }
};
template <unsigned V4Bits, unsigned V6Bits>
struct prefix<dual, V4Bits, V6Bits> : prefix<ipv6, V4Bits, V6Bits> {
  static constexpr std::uint32_t word(const dual::address& a, std::size_t i) noexcept {
    if (!dual::is_mapped(a)) return prefix<ipv6, V4Bits, V6Bits>::word(a, i);
    return i == 3 ? first_bits(a.value[3], V4Bits) : a.value[i];
  }
};
/// The tag is part of every prefix: tenants share nothing.
template <class Base, unsigned V4Bits, unsigned V6Bits>
struct prefix<tagged<Base>, V4Bits, V6Bits> {
  static constexpr std::size_t count = prefix<Base, V4Bits, V6Bits>::count + 1;
  static constexpr std::uint32_t word(const typename tagged<Base>::address& a, std::size_t i) noexcept {
    return i == 0 ? a.tag : prefix<Base, V4Bits, V6Bits>::word(a.base, i - 1);
  }
};

}  // namespace detail

/// At most `Share` of the request queue, a sizing step applied to its limit and at least 1, for each IPv4 prefix of
/// V4Bits and each IPv6 prefix of V6Bits. 4 x Width x Rows bytes in the listener, nothing in a request.
template <unsigned V4Bits = 24, unsigned V6Bits = 64, sizing_step Share = times<1, 4>, std::uint32_t Width = 256,
          std::uint32_t Rows = 3>
class per_prefix {
  static_assert(V4Bits <= 32 && V6Bits <= 128, "listenq: an IPv4 prefix has at most 32 bits, an IPv6 prefix 128.");
  static_assert(std::has_single_bit(Width) && Rows > 0 && Rows * std::bit_width(Width - 1) <= 64,
                "listenq: per_prefix needs a power of two as its width, and width^rows must be at most 2^64.");
  static_assert(tunables_of<Share> == tunable_set{}, "listenq: a share of the request queue cannot read tunables.");

 public:
  static constexpr const char* name = "per_prefix";
  static constexpr unsigned v4_bits = V4Bits;
  static constexpr unsigned v6_bits = V6Bits;

  constexpr bool listens(std::uint32_t limit, std::uint64_t seed) noexcept {
    const std::uint32_t share = Share::apply(limit, any_tunables{});
    share_ = share > 0 ? share : 1;
    seed_ = seed;
    return true;
  }
  template <addressing A>
  constexpr bool allows(const basic_four_tuple<A>& key) const noexcept {
    return used(key) < share_;
  }
  template <addressing A>
  constexpr void entered(const basic_four_tuple<A>& key) noexcept {
    for_each_cell(hash(key), [this](std::size_t i) { ++cells_[i]; });
  }
  template <addressing A>
  constexpr void left(const basic_four_tuple<A>& key, departure) noexcept {
    for_each_cell(hash(key), [this](std::size_t i) { --cells_[i]; });
  }

  /// How many requests a prefix may have.
  constexpr std::uint32_t share() const noexcept { return share_; }
  /// At least the number of requests that the prefix of this peer has.
  template <addressing A>
  constexpr std::uint32_t used(const basic_four_tuple<A>& key) const noexcept {
    std::uint32_t least = 0xffffffffU;
    for_each_cell(hash(key), [&](std::size_t i) { least = cells_[i] < least ? cells_[i] : least; });
    return least;
  }
  template <class ForEachKey>
  constexpr bool balanced(ForEachKey&& for_each_key) const {
    per_prefix recount;
    recount.seed_ = seed_;
    for_each_key([&recount](const auto& key) { recount.entered(key); });
    return recount.cells_ == cells_;
  }

 private:
  static constexpr unsigned index_bits = std::bit_width(Width - 1);

  template <addressing A>
  constexpr std::uint64_t hash(const basic_four_tuple<A>& key) const noexcept {
    using prefix = detail::prefix<A, V4Bits, V6Bits>;
    std::uint32_t words[prefix::count]{};
    for (std::size_t i = 0; i < prefix::count; ++i) words[i] = prefix::word(key.peer_address, i);
    return siphash<1, 3>{{seed_, ~seed_}}.hash(words, prefix::count);
  }
  template <class F>
  static constexpr void for_each_cell(std::uint64_t h, F&& f) noexcept {
    for (std::uint32_t row = 0; row < Rows; ++row) {
      f(std::size_t{row} * Width + static_cast<std::size_t>((h >> (row * index_bits)) & (Width - 1)));
    }
  }

  static_array<std::uint32_t, std::size_t{Width} * Rows> cells_{};
  std::uint64_t seed_ = 0;
  std::uint32_t share_ = 1;
};

}  // namespace listenq
