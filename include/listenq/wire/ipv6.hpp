// SPDX-License-Identifier: BSL-1.0
// The IPv6 header (RFC 8200) directly in front of a TCP segment: read with every length checked, and written.
// It walks no extension headers and knows no jumbograms: a packet that has one is refused by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/address.hpp>
#include <listenq/segment.hpp>
#include <listenq/wire/checksum.hpp>

namespace listenq::wire {

/// What an IPv6 header says, beyond its length.
struct ipv6_header {
  static constexpr std::size_t size = 40;  ///< bytes

  ipv6::address source{};
  ipv6::address destination{};
  std::uint32_t flow_label = 0;    ///< 20 bits; the rest is ignored
  std::uint8_t traffic_class = 0;  ///< DSCP and ECN
  std::uint8_t hop_limit = 64;
  std::uint8_t next_header = protocol_tcp;

  friend constexpr bool operator==(const ipv6_header&, const ipv6_header&) = default;
};

/// A packet taken apart. `header` and `payload` are set when `error` is `none`, `fragment`, `extension_header` or
/// `not_tcp`, so that a stack that knows more can go on from there; else they are empty.
struct ipv6_packet {
  parse_error error = parse_error::none;
  ipv6_header header{};
  byte_view payload{};  ///< all that follows the header, into the bytes that were parsed
  constexpr explicit operator bool() const noexcept { return error == parse_error::none; }
};

/// Reads a packet from the beginning of `bytes`. Bytes after its payload length (link-layer padding) are left out.
/// Errors: too_short, bad_version, bad_length, then what the next header is: fragment, extension_header, not_tcp.
constexpr ipv6_packet parse_ipv6(byte_view bytes) noexcept {
  ipv6_packet result;
  const auto refused = [&result](parse_error why) noexcept {
    result.error = why;
    return result;
  };
  const std::byte* p = bytes.data;
  if (bytes.size < ipv6_header::size) return refused(parse_error::too_short);
  const std::uint32_t first = load32(p);
  if (first >> 28 != 6) return refused(parse_error::bad_version);
  const std::size_t length = load16(p + 4);
  if (length > bytes.size - ipv6_header::size) return refused(parse_error::bad_length);

  result.header.traffic_class = static_cast<std::uint8_t>(first >> 20 & 0xff);
  result.header.flow_label = first & 0xfffff;
  result.header.next_header = load8(p + 6);
  result.header.hop_limit = load8(p + 7);
  for (std::size_t i = 0; i < 4; ++i) {
    result.header.source.value[i] = load32(p + 8 + 4 * i);
    result.header.destination.value[i] = load32(p + 24 + 4 * i);
  }
  result.payload = {p + ipv6_header::size, length};
  switch (result.header.next_header) {
    case protocol_tcp:
      return result;
    case 44:
      return refused(parse_error::fragment);
    case 0:    // Hop-by-Hop Options
    case 43:   // Routing
    case 51:   // Authentication
    case 60:   // Destination Options
    case 135:  // Mobility
    case 139:  // Host Identity
    case 140:  // Shim6
      return refused(parse_error::extension_header);
    default:
      return refused(parse_error::not_tcp);
  }
}

/// Writes the header of a packet that carries `payload_size` bytes. Returns its 40 bytes, or 0 when `out` is smaller or
/// the payload longer than 65535 bytes; then nothing is written.
constexpr std::size_t write_ipv6(const ipv6_header& header, std::size_t payload_size, byte_span out) noexcept {
  if (out.size < ipv6_header::size || payload_size > 0xffff) return 0;
  std::byte* p = out.data;
  store32(p, 6U << 28 | std::uint32_t{header.traffic_class} << 20 | (header.flow_label & 0xfffff));
  store16(p + 4, static_cast<std::uint16_t>(payload_size));
  store8(p + 6, header.next_header);
  store8(p + 7, header.hop_limit);
  for (std::size_t i = 0; i < 4; ++i) {
    store32(p + 8 + 4 * i, header.source.value[i]);
    store32(p + 24 + 4 * i, header.destination.value[i]);
  }
  return ipv6_header::size;
}

}  // namespace listenq::wire
