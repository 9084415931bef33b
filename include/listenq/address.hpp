// SPDX-License-Identifier: BSL-1.0
// Who talks to whom: addressing families, endpoints, four-tuples.
// An address is a value and nothing more: no parsing, no names, no sockets.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/static_array.hpp>
#include <type_traits>

namespace listenq {

/// A family of addresses.
///
/// - `address` is trivially copyable, comparable by `==`, and a default-constructed one is "unspecified";
/// - `words` says how many 32-bit words describe an address, `word(a, i)` yields the i-th: that is what hashes read,
///   so two addresses that differ must differ in a word.
template <class A>
concept addressing = requires(const typename A::address& a, std::size_t i) {
  requires std::is_trivially_copyable_v<typename A::address>;
  requires std::equality_comparable<typename A::address>;
  requires std::default_initializable<typename A::address>;
  { A::words } -> std::convertible_to<std::size_t>;
  { A::word(a, i) } -> std::same_as<std::uint32_t>;
};

/// IPv4 (RFC 791). The address is one number in host byte order: 127.0.0.1 is 0x7f000001.
struct ipv4 {
  static constexpr const char* name = "ipv4";
  struct address {
    std::uint32_t value = 0;
    friend constexpr bool operator==(const address&, const address&) = default;
  };
  static constexpr std::size_t words = 1;
  static constexpr std::uint32_t word(const address& a, std::size_t) noexcept { return a.value; }
};

/// IPv6 (RFC 8200). Four words in host byte order, most significant first: ::1 is {0, 0, 0, 1}.
struct ipv6 {
  static constexpr const char* name = "ipv6";
  struct address {
    static_array<std::uint32_t, 4> value{};
    friend constexpr bool operator==(const address&, const address&) = default;
  };
  static constexpr std::size_t words = 4;
  static constexpr std::uint32_t word(const address& a, std::size_t i) noexcept { return a.value[i]; }
};

/// Both families in one listener: an IPv4 address is its IPv6-mapped form (RFC 4291 2.5.5.2).
struct dual : ipv6 {
  static constexpr const char* name = "dual";
  /// The mapped form ::ffff:a.b.c.d.
  static constexpr address mapped(ipv4::address a) noexcept { return {{0, 0, 0xffff, a.value}}; }
  static constexpr bool is_mapped(const address& a) noexcept {
    return a.value[0] == 0 && a.value[1] == 0 && a.value[2] == 0xffff;
  }
};

/// A family whose addresses carry one more word that tells equal addresses apart: a VLAN, a tenant, the outer
/// endpoint of a tunnel folded into 32 bits.
template <addressing Base>
struct tagged {
  static constexpr const char* name = "tagged";
  struct address {
    typename Base::address base{};
    std::uint32_t tag = 0;
    friend constexpr bool operator==(const address&, const address&) = default;
  };
  static constexpr std::size_t words = Base::words + 1;
  static constexpr std::uint32_t word(const address& a, std::size_t i) noexcept {
    return i == 0 ? a.tag : Base::word(a.base, i - 1);
  }
};

namespace detail {

/// The answer of `is_ipv6`, for each family.
template <addressing A>
struct over_ipv6 {
  static constexpr bool is(const typename A::address&) noexcept { return A::words >= ipv6::words; }
};
template <>
struct over_ipv6<dual> {
  static constexpr bool is(const dual::address& a) noexcept { return !dual::is_mapped(a); }
};
template <addressing Base>
struct over_ipv6<tagged<Base>> {
  static constexpr bool is(const typename tagged<Base>::address& a) noexcept { return over_ipv6<Base>::is(a.base); }
};
/// Does an address go over IPv6? IPv4 in its mapped form does not (RFC 4291 2.5.5.2).
template <addressing A>
constexpr bool is_ipv6(const typename A::address& a) noexcept {
  return over_ipv6<A>::is(a);
}

}  // namespace detail

/// a.b.c.d
constexpr ipv4::address ip(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) noexcept {
  return {(std::uint32_t{a} << 24) | (std::uint32_t{b} << 16) | (std::uint32_t{c} << 8) | d};
}

/// An address and a port (host byte order).
template <addressing A>
struct basic_endpoint {
  typename A::address address{};
  std::uint16_t port = 0;
  friend constexpr bool operator==(const basic_endpoint&, const basic_endpoint&) = default;
};

/// The name of a connection as the listener sees it: `peer` is the other side, `local` is ours.
template <addressing A>
struct basic_four_tuple {
  typename A::address peer_address{};
  typename A::address local_address{};
  std::uint16_t peer_port = 0;
  std::uint16_t local_port = 0;

  constexpr basic_endpoint<A> peer() const noexcept { return {peer_address, peer_port}; }
  constexpr basic_endpoint<A> local() const noexcept { return {local_address, local_port}; }
  friend constexpr bool operator==(const basic_four_tuple&, const basic_four_tuple&) = default;
};

using endpoint = basic_endpoint<ipv4>;
using four_tuple = basic_four_tuple<ipv4>;

}  // namespace listenq
