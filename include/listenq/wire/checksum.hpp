// SPDX-License-Identifier: BSL-1.0
// What all of wire/ stands on: bytes in network order, why bytes are refused, and the Internet checksum (RFC 1071).
// It knows no header: ipv4.hpp, ipv6.hpp and tcp.hpp do. Hardware offload is the business of whoever owns the hardware.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <listenq/address.hpp>
#include <listenq/segment.hpp>
#include <type_traits>

namespace listenq::wire {

/// Bytes to write into, owned by somebody else.
struct byte_span {
  std::byte* data = nullptr;
  std::size_t size = 0;
  constexpr operator byte_view() const noexcept { return {data, size}; }
};

/// What is left of `s` behind its first `size` bytes: nothing when it has fewer.
constexpr byte_span behind(byte_span s, std::size_t size) noexcept {
  return size <= s.size ? byte_span{s.data + size, s.size - size} : byte_span{};
}

/// Why bytes are no segment. The first thing that is wrong wins, from the outside in.
enum class parse_error : unsigned char {
  none,
  too_short,          ///< fewer bytes than the shortest header (IPv4 20, IPv6 40, TCP 20)
  bad_version,        ///< IP: the version is not the one asked for
  bad_header_length,  ///< IPv4: IHL below 5, or a header longer than the buffer
  bad_length,         ///< IP: the length field says less than the header or more than the buffer
  bad_ip_checksum,    ///< IPv4: the header's sum is wrong
  fragment,           ///< IP: a part of a datagram; nothing here reassembles
  extension_header,   ///< IPv6: an extension header other than Fragment; none is walked
  not_tcp,            ///< IP: another protocol
  bad_data_offset,    ///< TCP: data offset below 5, or a header longer than the bytes
  bad_checksum,       ///< TCP: the sum over pseudo-header, header and payload is wrong
};
inline constexpr std::size_t parse_error_count = 11;

/// The enumerator's name.
constexpr const char* name(parse_error e) noexcept {
  constexpr std::array<const char*, parse_error_count> names{
      "none",     "too_short",        "bad_version", "bad_header_length", "bad_length",  "bad_ip_checksum",
      "fragment", "extension_header", "not_tcp",     "bad_data_offset",   "bad_checksum"};
  return names[static_cast<std::size_t>(e)];
}

/// The protocol number of TCP in an IP header.
inline constexpr std::uint8_t protocol_tcp = 6;

/// Big-endian loads and stores. `p` need not be aligned.
constexpr std::uint8_t load8(const std::byte* p) noexcept { return std::to_integer<std::uint8_t>(*p); }
constexpr std::uint16_t load16(const std::byte* p) noexcept {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(p[0]) << 8 | std::to_integer<unsigned>(p[1]));
}
constexpr std::uint32_t load32(const std::byte* p) noexcept {
  return std::to_integer<std::uint32_t>(p[0]) << 24 | std::to_integer<std::uint32_t>(p[1]) << 16 |
         std::to_integer<std::uint32_t>(p[2]) << 8 | std::to_integer<std::uint32_t>(p[3]);
}
constexpr void store8(std::byte* p, std::uint8_t v) noexcept { *p = std::byte{v}; }
constexpr void store16(std::byte* p, std::uint16_t v) noexcept {
  p[0] = static_cast<std::byte>(v >> 8);
  p[1] = static_cast<std::byte>(v & 0xff);
}
constexpr void store32(std::byte* p, std::uint32_t v) noexcept {
  p[0] = static_cast<std::byte>(v >> 24);
  p[1] = static_cast<std::byte>(v >> 16 & 0xff);
  p[2] = static_cast<std::byte>(v >> 8 & 0xff);
  p[3] = static_cast<std::byte>(v & 0xff);
}

/// Folds carries into 16 bits. Zero only for zero.
constexpr std::uint16_t fold(std::uint64_t sum) noexcept {
  // The upper half of a number and its rotation by half is the sum of both halves and of the carry out of it.
  const auto half = static_cast<std::uint32_t>((sum + std::rotl(sum, 32)) >> 32);
  return static_cast<std::uint16_t>((half + std::rotl(half, 16)) >> 16);
}

/// `ones_sum`, a word at a time, for constant evaluation.
constexpr std::uint16_t ones_sum_by_words(byte_view bytes, std::uint16_t start) noexcept {
  std::uint64_t sum = start;
  const std::byte* p = bytes.data;
  std::size_t left = bytes.size;
  for (; left >= 2; p += 2, left -= 2) sum += load16(p);
  if (left != 0) sum += static_cast<std::uint64_t>(load8(p)) << 8;
  return fold(sum);
}

/// The one's complement sum of `bytes` as 16-bit words in network order, added to `start`; an odd last byte counts as
/// the high half of a word (RFC 1071 1). Parts may be summed one by one as long as only the last has an odd size.
constexpr std::uint16_t ones_sum(byte_view bytes, std::uint16_t start = 0) noexcept {
  if (std::is_constant_evaluated()) return ones_sum_by_words(bytes, start);
  const std::byte* p = bytes.data;
  std::size_t left = bytes.size;
  // Eight bytes at a time in the machine's own order: the sum does not care until the end (RFC 1071 2 (B)).
  const auto in_order = [](std::uint16_t v) noexcept {
    if constexpr (std::endian::native == std::endian::little) v = static_cast<std::uint16_t>(v << 8 | v >> 8);
    return v;
  };
  std::uint64_t sum = in_order(start);
  const auto add = [&sum](std::uint64_t word) noexcept {
    sum += word;
    sum += sum < word ? 1U : 0U;
  };
  for (; left >= 8; p += 8, left -= 8) {
    std::uint64_t word{};
    std::memcpy(&word, p, sizeof word);
    add(word);
  }
  if (left >= 4) {
    std::uint32_t word{};
    std::memcpy(&word, p, sizeof word);
    add(word);
    p += 4;
    left -= 4;
  }
  if (left >= 2) {
    std::uint16_t word{};
    std::memcpy(&word, p, sizeof word);
    add(word);
    p += 2;
    left -= 2;
  }
  if (left != 0) {
    std::uint16_t word{};
    std::memcpy(&word, p, 1);
    add(word);
  }
  return in_order(fold(sum));
}

/// The sum of TCP's pseudo-header (RFC 9293 3.1) over IPv4. `length`: TCP header and payload, bytes.
constexpr std::uint16_t pseudo_header_sum(const ipv4::address& source, const ipv4::address& destination,
                                          std::size_t length) noexcept {
  return fold(std::uint64_t{source.value} + destination.value + protocol_tcp + length);
}

/// The same over IPv6 (RFC 8200 8.1). For two IPv4-mapped addresses it equals IPv4's: each ffff adds nothing.
constexpr std::uint16_t pseudo_header_sum(const ipv6::address& source, const ipv6::address& destination,
                                          std::size_t length, std::uint8_t protocol = protocol_tcp) noexcept {
  std::uint64_t sum = protocol + std::uint64_t{length};
  for (const std::uint32_t word : source.value) sum += word;
  for (const std::uint32_t word : destination.value) sum += word;
  return fold(sum);
}

/// The checksum field for `bytes` whose own checksum field is zero, on top of a pseudo-header's sum.
constexpr std::uint16_t checksum(byte_view bytes, std::uint16_t start = 0) noexcept {
  return static_cast<std::uint16_t>(~ones_sum(bytes, start) & 0xffff);
}

/// Is the checksum inside `bytes` right? (Bytes that are all zero, with nothing to start from, are not.)
constexpr bool verify(byte_view bytes, std::uint16_t start = 0) noexcept { return ones_sum(bytes, start) == 0xffff; }

/// The checksum field after one aligned 16-bit word under it went from `before` to `after`: HC' = ~(~HC + ~m + m')
/// (RFC 1624 3, equation 3). A wrong checksum stays wrong.
constexpr std::uint16_t updated(std::uint16_t field, std::uint16_t before, std::uint16_t after) noexcept {
  const std::uint64_t sum = (~std::uint32_t{field} & 0xffff) + (~std::uint32_t{before} & 0xffff) + after;
  return static_cast<std::uint16_t>(~fold(sum) & 0xffff);
}

/// The same for a 32-bit field at an even offset, such as an address or a sequence number.
constexpr std::uint16_t updated32(std::uint16_t field, std::uint32_t before, std::uint32_t after) noexcept {
  const std::uint64_t sum = (~std::uint64_t{field} & 0xffff) + (~std::uint64_t{before} & 0xffff'ffff) + after;
  return static_cast<std::uint16_t>(~fold(sum) & 0xffff);
}

}  // namespace listenq::wire
