// SPDX-License-Identifier: BSL-1.0
// Link layers: what stands before the IP header in a captured frame. Ethernet (with VLAN tags), raw IP, Linux cooked
// version 1 and 2, BSD loopback: what captures of a server have. It reads no 802.11, PPP or tunnel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/wire/checksum.hpp>
#include <listenq/wire/pcapng.hpp>

namespace listenq::wire {

/// Link types of captures (tcpdump.org, LINKTYPE_...).
namespace linktype {
inline constexpr std::uint32_t null = 0;  ///< BSD loopback: the address family, in the byte order of its machine
inline constexpr std::uint32_t ethernet = 1;
inline constexpr std::uint32_t raw_bsd = 12;   ///< raw IP, as some systems number it
inline constexpr std::uint32_t raw_open = 14;  ///< and as OpenBSD does
inline constexpr std::uint32_t raw = 101;
inline constexpr std::uint32_t loop = 108;       ///< OpenBSD loopback: the address family, big endian
inline constexpr std::uint32_t linux_sll = 113;  ///< Linux cooked, version 1: tcpdump -i any
inline constexpr std::uint32_t ipv4 = 228;
inline constexpr std::uint32_t ipv6 = 229;
inline constexpr std::uint32_t linux_sll2 = 276;  ///< Linux cooked, version 2
}  // namespace linktype

enum class link_error : unsigned char {
  none,
  unknown_link,  ///< a link type that is not read here
  too_short,     ///< fewer bytes than its header
  not_ip,        ///< ARP and the like
};

/// The enumerator's name.
constexpr const char* name(link_error e) noexcept {
  constexpr const char* names[] = {"none", "unknown_link", "link_too_short", "not_ip"};
  return names[static_cast<std::size_t>(e)];
}

/// A frame without its link header. `bytes` begins with an IPv4 or IPv6 header when `error` is `none`.
struct unlinked {
  link_error error = link_error::none;
  byte_view bytes{};
  direction way = direction::unknown;  ///< cooked captures say it
};

/// Takes the link header of type `link` off. Up to four VLAN tags (802.1Q, 802.1ad) are skipped.
constexpr unlinked without_link(std::uint32_t link, byte_view frame) noexcept {
  constexpr std::uint16_t ether_ipv4 = 0x0800;
  constexpr std::uint16_t ether_ipv6 = 0x86dd;
  const std::byte* const p = frame.data;
  const auto cut = [&frame](std::size_t n, direction way = direction::unknown) noexcept -> unlinked {
    return {link_error::none, {frame.data + n, frame.size - n}, way};
  };
  const auto refused = [](link_error e) noexcept -> unlinked { return {e}; };
  const auto by_type = [&](std::uint16_t type, std::size_t n, direction way) noexcept {
    for (int tags = 0; (type == 0x8100 || type == 0x88a8 || type == 0x9100) && tags < 4; ++tags) {
      if (frame.size < n + 4) return refused(link_error::too_short);
      type = load16(p + n + 2);
      n += 4;
    }
    return type == ether_ipv4 || type == ether_ipv6 ? cut(n, way) : refused(link_error::not_ip);
  };
  const auto way_of = [](unsigned packet_type) noexcept {
    return packet_type == 4 ? direction::out : packet_type == 0 ? direction::in : direction::unknown;
  };
  switch (link) {
    case linktype::raw:
    case linktype::raw_bsd:
    case linktype::raw_open:
    case linktype::ipv4:
    case linktype::ipv6:
      return cut(0);
    case linktype::ethernet:
      return frame.size < 14 ? refused(link_error::too_short) : by_type(load16(p + 12), 14, direction::unknown);
    case linktype::linux_sll:
      return frame.size < 16 ? refused(link_error::too_short) : by_type(load16(p + 14), 16, way_of(load16(p)));
    case linktype::linux_sll2:
      return frame.size < 20 ? refused(link_error::too_short) : by_type(load16(p), 20, way_of(load8(p + 10)));
    case linktype::null:
    case linktype::loop: {
      if (frame.size < 4) return refused(link_error::too_short);
      // A family is a small number: whichever end it is at, that is the byte order.
      const std::uint32_t big = load32(p);
      const std::uint32_t family = big % 0x100'0000 == 0 ? big >> 24 : big;
      const bool ip = family == 2 || family == 10 || family == 24 || family == 28 || family == 30;
      return ip ? cut(4) : refused(link_error::not_ip);
    }
    default:
      return refused(link_error::unknown_link);
  }
}

}  // namespace listenq::wire
