// SPDX-License-Identifier: BSL-1.0
// Echo (RFC 792, RFC 4443 4.1 and 4.2): the reply to a ping, bytes in, bytes out.
// It knows no other ICMP message, reassembles nothing, and does not ask whose address it answers for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/wire/checksum.hpp>
#include <listenq/wire/ipv4.hpp>
#include <listenq/wire/ipv6.hpp>

namespace listenq::wire {

inline constexpr std::uint8_t protocol_icmp = 1;
inline constexpr std::uint8_t protocol_icmpv6 = 58;

/// Why there is no reply.
enum class echo_error : unsigned char {
  none,
  not_echo,      ///< no whole IP packet, not ICMP, or another message than an echo request
  too_short,     ///< ICMP: fewer than the eight bytes of an echo
  bad_checksum,  ///< ICMP: the sum is wrong
  no_room,       ///< `out` is smaller than the reply
};

/// A reply of `size` bytes, or 0 and why.
struct echo_answer {
  echo_error error = echo_error::none;
  std::size_t size = 0;
  constexpr explicit operator bool() const noexcept { return error == echo_error::none; }
};

namespace detail {

/// The message itself: the request's bytes with the reply's type, and a checksum adjusted by the difference.
constexpr echo_error copy_as_reply(byte_view request, std::uint8_t type, std::uint8_t reply_type, std::uint16_t start,
                                   byte_span out) noexcept {
  if (request.empty() || load8(request.data) != type) return echo_error::not_echo;
  if (request.size < 8) return echo_error::too_short;
  if (load8(request.data + 1) != 0) return echo_error::not_echo;
  if (!verify(request, start)) return echo_error::bad_checksum;
  if (out.size < request.size) return echo_error::no_room;
  std::copy_n(request.data, request.size, out.data);
  store8(out.data, reply_type);
  const auto before = static_cast<std::uint16_t>(type << 8);
  const auto after = static_cast<std::uint16_t>(reply_type << 8);
  const std::uint16_t sum = updated(load16(request.data + 2), before, after);
  store16(out.data + 2, sum != 0 ? sum : 0xffff);  // both verify, except where all else is zero: there 0 does not
  return echo_error::none;
}

}  // namespace detail

/// Writes the reply to the echo request in `packet` (IPv4 or IPv6, whole) to `out`, addresses swapped, the payload the
/// same. The two must not overlap. When there is an error what `out` holds is unspecified.
constexpr echo_answer answer_echo(byte_view packet, byte_span out) noexcept {
  const auto refused = [](echo_error why) noexcept { return echo_answer{why, 0}; };
  if (const ipv4_packet p = parse_ipv4(packet); p.error == parse_error::not_tcp) {
    if (p.header.protocol != protocol_icmp) return refused(echo_error::not_echo);
    const echo_error e = detail::copy_as_reply(p.payload, 8, 0, 0, behind(out, ipv4_header::size));
    if (e != echo_error::none) return refused(e);
    const ipv4_header h{.source = p.header.destination,
                        .destination = p.header.source,
                        .identification = p.header.identification,
                        .traffic_class = p.header.traffic_class,
                        .protocol = protocol_icmp,
                        .dont_fragment = p.header.dont_fragment};
    return {echo_error::none, write_ipv4(h, p.payload.size, out) + p.payload.size};
  }
  if (const ipv6_packet p = parse_ipv6(packet); p.error == parse_error::not_tcp) {
    if (p.header.next_header != protocol_icmpv6) return refused(echo_error::not_echo);
    const std::uint16_t start =
        pseudo_header_sum(p.header.source, p.header.destination, p.payload.size, protocol_icmpv6);
    const echo_error e = detail::copy_as_reply(p.payload, 128, 129, start, behind(out, ipv6_header::size));
    if (e != echo_error::none) return refused(e);
    const ipv6_header h{.source = p.header.destination,
                        .destination = p.header.source,
                        .traffic_class = p.header.traffic_class,
                        .next_header = protocol_icmpv6};
    return {echo_error::none, write_ipv6(h, p.payload.size, out) + p.payload.size};
  }
  return refused(echo_error::not_echo);
}

}  // namespace listenq::wire
