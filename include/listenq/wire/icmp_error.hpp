// SPDX-License-Identifier: BSL-1.0
// ICMP errors about TCP segments (RFC 792, RFC 4443): which segment a router or a host complains of, and why.
// It believes nothing: whether the quoted segment was ever sent, only who has sent it can tell. It reads no other
// message (echoes are icmp.hpp's), writes none, and walks no IPv6 extension headers, quoted ones included.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <listenq/address.hpp>
#include <listenq/policy/icmp.hpp>
#include <listenq/segment.hpp>
#include <listenq/wire/checksum.hpp>
#include <listenq/wire/icmp.hpp>
#include <listenq/wire/ipv4.hpp>
#include <listenq/wire/ipv6.hpp>

namespace listenq::wire {

/// Why bytes are no error about a TCP segment. The first thing that is wrong wins, from the outside in.
enum class quote_error : unsigned char {
  none,
  not_an_error,  ///< no whole IP packet, not ICMP, or another message: an echo, a redirect, a neighbour's
  too_short,     ///< ICMP: fewer than its eight bytes
  bad_checksum,  ///< ICMP: the sum is wrong
  bad_quote,     ///< the quoted IP header is cut off, of the other version, or its length is impossible
  not_tcp,       ///< about another protocol, an IPv6 extension header, or a fragment that has no ports
  no_ports,      ///< fewer than eight bytes of TCP: ports and number are not all there
};
inline constexpr std::size_t quote_error_count = 7;

constexpr const char* name(quote_error e) noexcept {
  constexpr const char* names[] = {"none",      "not_an_error", "too_short", "bad_checksum",
                                   "bad_quote", "not_tcp",      "no_ports"};
  return names[static_cast<std::size_t>(e)];
}

/// What an error says, if it is one: `about` is the quoted segment seen from its sender, so `local` is us.
template <addressing A>
struct icmp_report {
  quote_error error = quote_error::none;
  icmp_error what = icmp_error::other;
  typename A::address reporter{};  ///< who complains: a router on the way, or the peer
  typename A::address told{};      ///< whom it tells
  basic_four_tuple<A> about{};
  seq_number seq = 0;     ///< of the quoted segment
  std::uint16_t mtu = 0;  ///< of the next hop, when the segment was too big for it (RFC 1191, RFC 8201); else 0
  constexpr explicit operator bool() const noexcept { return error == quote_error::none; }
};

/// ICMPv4. Linux tells net and host unreachable (codes 0 and 1) from all else (tcp_v4_err), and so does this: 3/5 to
/// 3/15 are `prohibited`, whatever their names. 11/1 is a reassembly's time, not a hop count (icmp_unreach).
constexpr icmp_error icmp4_error(std::uint8_t type, std::uint8_t code) noexcept {
  if (type == 11) return code == 1 ? icmp_error::other : icmp_error::time_exceeded;
  if (type == 12) return icmp_error::parameter_problem;
  if (type != 3 || code > 15) return icmp_error::other;
  constexpr icmp_error codes[] = {icmp_error::network_unreachable,
                                  icmp_error::host_unreachable,
                                  icmp_error::protocol_unreachable,
                                  icmp_error::port_unreachable,
                                  icmp_error::other,
                                  icmp_error::prohibited};
  return codes[std::min(std::size_t{code}, std::size(codes) - 1)];
}

/// ICMPv6, as icmpv6_err_convert sorts them: 1/2 (beyond the scope of the source) like 1/3, and codes of type 1 that it
/// does not know like the fatal ones (measured on 6.18.44).
constexpr icmp_error icmp6_error(std::uint8_t type, std::uint8_t code) noexcept {
  if (type == 3) return icmp_error::time_exceeded;
  if (type == 4) return icmp_error::parameter_problem;
  if (type != 1) return icmp_error::other;
  constexpr icmp_error codes[] = {icmp_error::network_unreachable, icmp_error::prohibited,
                                  icmp_error::host_unreachable,    icmp_error::host_unreachable,
                                  icmp_error::port_unreachable,    icmp_error::prohibited};
  return codes[std::min(std::size_t{code}, std::size(codes) - 1)];
}

namespace detail {

/// Where the quoted TCP header begins in `quote`, or why there is none. Its IP length is the whole segment's and its
/// sum may be an older hop's: neither says anything here.
struct quoted {
  quote_error error = quote_error::none;
  std::size_t at = 0;
};
constexpr quoted find_tcp4(byte_view quote) noexcept {
  if (quote.empty() || load8(quote.data) >> 4 != 4) return {quote_error::bad_quote};
  const std::size_t header = std::size_t{load8(quote.data) & 0x0fU} * 4U;
  if (header < ipv4_header::size || header > quote.size) return {quote_error::bad_quote};
  if (load8(quote.data + 9) != protocol_tcp || (load16(quote.data + 6) & 0x1fffU) != 0) return {quote_error::not_tcp};
  return {quote_error::none, header};
}
constexpr quoted find_tcp6(byte_view quote) noexcept {
  if (quote.size < ipv6_header::size || load8(quote.data) >> 4 != 6) return {quote_error::bad_quote};
  if (load8(quote.data + 6) != protocol_tcp) return {quote_error::not_tcp};
  return {quote_error::none, ipv6_header::size};
}

constexpr ipv4::address address4(const std::byte* p) noexcept { return {load32(p)}; }
constexpr ipv6::address address6(const std::byte* p) noexcept {
  return {{load32(p), load32(p + 4), load32(p + 8), load32(p + 12)}};
}

/// `message`: ICMP and what it quotes. `find` finds the TCP header, `at` reads an address, `source` is where in the
/// quoted IP header the first of two addresses lies, each `width` bytes long.
template <addressing A, class Find, class At>
constexpr icmp_report<A> read_quote(byte_view message, std::uint16_t start, Find find, At at, std::size_t source,
                                    std::size_t width) noexcept {
  icmp_report<A> r;
  if (message.size < 8) return {.error = quote_error::too_short};
  if (!verify(message, start)) return {.error = quote_error::bad_checksum};
  const byte_view quote{message.data + 8, message.size - 8};
  const quoted tcp = find(quote);
  if (tcp.error != quote_error::none) return {.error = tcp.error};
  if (quote.size - tcp.at < 8) return {.error = quote_error::no_ports};
  const std::byte* const p = quote.data + tcp.at;
  r.about.local_address = at(quote.data + source);
  r.about.peer_address = at(quote.data + source + width);
  r.about.local_port = load16(p);
  r.about.peer_port = load16(p + 2);
  r.seq = load32(p + 4);
  return r;
}

}  // namespace detail

/// Reads the ICMP error that `packet` (IPv4 or IPv6, whole) is. `dual` takes both versions and yields IPv4 addresses in
/// their mapped form. Only destination unreachable, packet too big, time exceeded and parameter problem are errors
/// here: a redirect or a source quench (RFC 6633) ends nothing anywhere.
template <addressing A>
requires std::same_as<A, ipv4> || std::same_as<A, ipv6> || std::same_as<A, dual>
constexpr icmp_report<A> read_icmp_error(byte_view packet) noexcept {
  if constexpr (!std::same_as<A, ipv6>) {
    if (const ipv4_packet p = parse_ipv4(packet); p.header.protocol == protocol_icmp) {
      const auto family = [](const ipv4::address& a) noexcept {
        if constexpr (std::same_as<A, ipv4>) {
          return a;
        } else {
          return dual::mapped(a);
        }
      };
      if (p.payload.empty()) return {.error = quote_error::too_short};
      const std::uint8_t type = load8(p.payload.data);
      if (type != 3 && type != 11 && type != 12) return {.error = quote_error::not_an_error};
      auto r = detail::read_quote<A>(
          p.payload, 0, detail::find_tcp4,
          [family](const std::byte* at) noexcept { return family(detail::address4(at)); }, 12, 4);
      r.reporter = family(p.header.source);
      r.told = family(p.header.destination);
      if (!r) return r;
      const std::uint8_t code = load8(p.payload.data + 1);
      r.what = icmp4_error(type, code);
      if (type == 3 && code == 4) r.mtu = load16(p.payload.data + 6);
      return r;
    }
  }
  if constexpr (!std::same_as<A, ipv4>) {
    if (const ipv6_packet p = parse_ipv6(packet); p.header.next_header == protocol_icmpv6) {
      if (p.payload.empty()) return {.error = quote_error::too_short};
      const std::uint8_t type = load8(p.payload.data);
      if (type < 1 || type > 4) return {.error = quote_error::not_an_error};
      const std::uint16_t start =
          pseudo_header_sum(p.header.source, p.header.destination, p.payload.size, protocol_icmpv6);
      auto r = detail::read_quote<A>(p.payload, start, detail::find_tcp6, detail::address6, 8, 16);
      r.reporter = p.header.source;
      r.told = p.header.destination;
      if (!r) return r;
      r.what = icmp6_error(type, load8(p.payload.data + 1));
      const std::uint32_t mtu = load32(p.payload.data + 4);
      if (type == 2) r.mtu = static_cast<std::uint16_t>(std::min(mtu, 0xffffU));
      return r;
    }
  }
  return {.error = quote_error::not_an_error};
}

}  // namespace listenq::wire
