// SPDX-License-Identifier: BSL-1.0
// The IPv4 header (RFC 791) around a TCP segment: read with every length checked, written without options.
// It does not reassemble fragments, route, or interpret options: those are skipped on the way in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/address.hpp>
#include <listenq/segment.hpp>
#include <listenq/wire/checksum.hpp>

namespace listenq::wire {

/// What an IPv4 header says, beyond its lengths and its sum.
struct ipv4_header {
  static constexpr std::size_t size = 20;  ///< bytes, as written here

  ipv4::address source{};
  ipv4::address destination{};
  std::uint16_t identification = 0;  ///< free to be 0 in an atomic datagram (RFC 6864 4.1)
  std::uint8_t traffic_class = 0;    ///< DSCP and ECN
  std::uint8_t ttl = 64;
  std::uint8_t protocol = protocol_tcp;
  bool dont_fragment = true;

  friend constexpr bool operator==(const ipv4_header&, const ipv4_header&) = default;
};

/// A datagram taken apart. `header` and `payload` are set when `error` is `none` or `not_tcp`, so that a stack with
/// more protocols can go on from there; else they are empty.
struct ipv4_packet {
  parse_error error = parse_error::none;
  ipv4_header header{};
  byte_view payload{};  ///< into the bytes that were parsed
  constexpr explicit operator bool() const noexcept { return error == parse_error::none; }
};

/// Reads a datagram from the beginning of `bytes`. Bytes after its total length (link-layer padding) are left out.
/// Errors, in this order: too_short, bad_version, bad_header_length, bad_length, bad_ip_checksum, fragment, not_tcp.
constexpr ipv4_packet parse_ipv4(byte_view bytes) noexcept {
  ipv4_packet result;
  const auto refused = [&result](parse_error why) noexcept {
    result.error = why;
    return result;
  };
  const std::byte* p = bytes.data;
  if (bytes.size < ipv4_header::size) return refused(parse_error::too_short);
  if (load8(p) >> 4 != 4) return refused(parse_error::bad_version);
  const std::size_t header_size = std::size_t{load8(p) & 0x0fU} * 4U;
  if (header_size < ipv4_header::size || header_size > bytes.size) return refused(parse_error::bad_header_length);
  const std::size_t total = load16(p + 2);
  if (total < header_size || total > bytes.size) return refused(parse_error::bad_length);
  if (!verify({p, header_size})) return refused(parse_error::bad_ip_checksum);
  const unsigned fragmentation = load16(p + 6);
  if ((fragmentation & 0x3fffU) != 0) return refused(parse_error::fragment);  // MF, or an offset

  result.header.traffic_class = load8(p + 1);
  result.header.identification = load16(p + 4);
  result.header.dont_fragment = (fragmentation >> 14 & 1U) != 0;
  result.header.ttl = load8(p + 8);
  result.header.protocol = load8(p + 9);
  result.header.source = {load32(p + 12)};
  result.header.destination = {load32(p + 16)};
  result.payload = {p + header_size, total - header_size};
  if (result.header.protocol != protocol_tcp) return refused(parse_error::not_tcp);
  return result;
}

/// Writes the header of a datagram that carries `payload_size` bytes, checksum included. Returns its 20 bytes, or 0
/// when `out` is smaller or the whole would be longer than 65535 bytes; then nothing is written.
constexpr std::size_t write_ipv4(const ipv4_header& header, std::size_t payload_size, byte_span out) noexcept {
  if (out.size < ipv4_header::size || payload_size > 0xffff - ipv4_header::size) return 0;
  std::byte* p = out.data;
  const auto total = static_cast<std::uint32_t>(ipv4_header::size + payload_size);
  const std::uint32_t words[] = {0x4500'0000U | std::uint32_t{header.traffic_class} << 16 | total,
                                 std::uint32_t{header.identification} << 16 | (header.dont_fragment ? 0x4000U : 0U),
                                 std::uint32_t{header.ttl} << 24 | std::uint32_t{header.protocol} << 16,
                                 header.source.value, header.destination.value};
  std::uint64_t sum = 0;
  for (const std::uint32_t word : words) sum += word;
  for (std::size_t i = 0; i < 5; ++i) store32(p + 4 * i, words[i]);
  store16(p + 10, static_cast<std::uint16_t>(~fold(sum) & 0xffff));
  return ipv4_header::size;
}

}  // namespace listenq::wire
