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

namespace detail {

/// `parse_ipv4` from where the header has `header_size` bytes, all of which are there.
[[gnu::always_inline]] constexpr ipv4_packet read_ipv4(byte_view bytes, std::size_t header_size) noexcept {
  const std::byte* p = bytes.data;
  const auto refused = [](parse_error why) noexcept { return ipv4_packet{.error = why}; };
  const std::size_t total = load16(p + 2);
  if (total < header_size || total > bytes.size) return refused(parse_error::bad_length);
  // Without options that is two and a half numbers of eight bytes.
  const std::uint64_t sum = header_size == ipv4_header::size ? add(sum_of<2>(p), load_native<std::uint32_t>(p + 16))
                                                             : native_sum({p, header_size});
  if (!sound(sum)) return refused(parse_error::bad_ip_checksum);
  const unsigned fragmentation = load16(p + 6);
  if ((fragmentation & 0x3fffU) != 0) return refused(parse_error::fragment);  // MF, or an offset
  const ipv4_header header{.source = {load32(p + 12)},
                           .destination = {load32(p + 16)},
                           .identification = load16(p + 4),
                           .traffic_class = load8(p + 1),
                           .ttl = load8(p + 8),
                           .protocol = load8(p + 9),
                           .dont_fragment = (fragmentation >> 14 & 1U) != 0};
  return {header.protocol == protocol_tcp ? parse_error::none : parse_error::not_tcp, header,
          byte_view{p + header_size, total - header_size}};
}

/// The same where it has options. Rare: in the way of others it would cost them registers.
[[gnu::noinline]] constexpr ipv4_packet read_ipv4_with_options(byte_view bytes) noexcept {
  const std::size_t header_size = std::size_t{load8(bytes.data) & 0x0fU} * 4U;
  if (header_size < ipv4_header::size || header_size > bytes.size) return {.error = parse_error::bad_header_length};
  return read_ipv4(bytes, header_size);
}

}  // namespace detail

/// Reads a datagram from the beginning of `bytes`. Bytes after its total length (link-layer padding) are left out.
/// Errors, in this order: too_short, bad_version, bad_header_length, bad_length, bad_ip_checksum, fragment, not_tcp.
[[gnu::always_inline]] constexpr ipv4_packet parse_ipv4(byte_view bytes) noexcept {
  if (bytes.size < ipv4_header::size) return {.error = parse_error::too_short};
  if (load8(bytes.data) == 0x45) return detail::read_ipv4(bytes, ipv4_header::size);
  if (load8(bytes.data) >> 4 != 4) return {.error = parse_error::bad_version};
  return detail::read_ipv4_with_options(bytes);
}

/// Writes the header of a datagram that carries `payload_size` bytes, checksum included. Returns its 20 bytes, or 0
/// when `out` is smaller or the whole would be longer than 65535 bytes; then nothing is written.
[[gnu::always_inline]] constexpr std::size_t write_ipv4(const ipv4_header& header, std::size_t payload_size,
                                                        byte_span out) noexcept {
  if (out.size < ipv4_header::size || payload_size > 0xffff - ipv4_header::size) return 0;
  std::byte* p = out.data;
  const auto total = static_cast<std::uint32_t>(ipv4_header::size + payload_size);
  const std::uint32_t first = 0x4500'0000U | std::uint32_t{header.traffic_class} << 16 | total;
  const std::uint32_t second = std::uint32_t{header.identification} << 16 | (header.dont_fragment ? 0x4000U : 0U);
  const std::uint32_t third = std::uint32_t{header.ttl} << 24 | std::uint32_t{header.protocol} << 16;
  const std::uint16_t sum =
      fold(std::uint64_t{first} + second + third + header.source.value + header.destination.value);
  store32(p, first);
  store32(p + 4, second);
  store32(p + 8, third | (~std::uint32_t{sum} & 0xffff));
  store32(p + 12, header.source.value);
  store32(p + 16, header.destination.value);
  return ipv4_header::size;
}

}  // namespace listenq::wire
