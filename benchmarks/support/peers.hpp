// SPDX-License-Identifier: BSL-1.0
// The other side of every benchmark: peers that are all different, whose segments cost next to nothing to make, and
// what they remember of their SYN-ACK. They send what Linux sends: MSS, SACK, timestamps, window scale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>

namespace bench {

using namespace listenq;

/// What a peer needs of a SYN-ACK; the sink that it is read from.
struct memory_of_peer {
  seq_number iss = 0;
  std::uint32_t ts = 0;
  template <addressing A>
  send_result send(const basic_segment<A>& s) noexcept {
    iss = s.seq;
    ts = s.options.ts_value;
    return send_result::sent;
  }
};

template <addressing A>
struct address_of;
template <>
struct address_of<ipv4> {
  static ipv4::address peer(std::uint32_t n) noexcept { return {0x0a000000U + (n >> 15)}; }
  static ipv4::address local() noexcept { return ip(192, 0, 2, 1); }
};
template <>
struct address_of<ipv6> {
  static ipv6::address peer(std::uint32_t n) noexcept { return {{0x20010db8, 0, 0, n >> 15}}; }
  static ipv6::address local() noexcept { return {{0x20010db8, 0, 0, 0xffffffff}}; }
};
/// Both kinds in turn.
template <>
struct address_of<dual> {
  static dual::address peer(std::uint32_t n) noexcept {
    return n % 2 == 0 ? dual::mapped(address_of<ipv4>::peer(n)) : address_of<ipv6>::peer(n);
  }
  static dual::address local() noexcept { return dual::mapped(address_of<ipv4>::local()); }
};

template <addressing A = ipv4>
class peers {
 public:
  /// The `n`-th of them wants to connect, or finishes its handshake. Valid until the next call.
  const basic_segment<A>& syn(std::uint32_t n) noexcept {
    make_syn(syn_, n);
    return syn_;
  }
  const basic_segment<A>& ack(std::uint32_t n, const memory_of_peer& heard) noexcept {
    make_ack(ack_, n, heard);
    return ack_;
  }

  /// The same in the caller's place, as a parser would: what is alike in all SYNs, or in all ACKs, is there already.
  static void make_syn(basic_segment<A>& s, std::uint32_t n) noexcept {
    s.source = address(n);
    s.seq = n;
    s.options.ts_value = n;
  }
  static void make_ack(basic_segment<A>& s, std::uint32_t n, const memory_of_peer& heard) noexcept {
    s.source = address(n);
    s.seq = n + 1;
    s.ack = heard.iss + 1;
    s.options.ts_value = n + 1;
    s.options.ts_echo = heard.ts;
  }

 private:
  static basic_endpoint<A> address(std::uint32_t n) noexcept {
    return {address_of<A>::peer(n), static_cast<std::uint16_t>(n & 0x7fffU)};
  }
  static constexpr std::uint16_t port = 80;
  basic_segment<A> syn_{.source = {},
                        .destination = {address_of<A>::local(), port},
                        .flags = flag::syn,
                        .window = 64240,
                        .options = {.mss = 1460, .window_scale = 7, .sack_permitted = true, .timestamps = true}};
  basic_segment<A> ack_{.source = {},
                        .destination = {address_of<A>::local(), port},
                        .flags = flag::ack,
                        .window = 502,
                        .options = {.timestamps = true}};
};

}  // namespace bench
