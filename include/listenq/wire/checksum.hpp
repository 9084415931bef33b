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

namespace detail {

inline constexpr bool little_endian = std::endian::native == std::endian::little;

/// Network order to the machine's, or back.
template <class T>
[[gnu::always_inline]] constexpr T in_order(T v) noexcept {
  if constexpr (!little_endian) {
    return v;
  } else if constexpr (sizeof(T) == 2) {
    return __builtin_bswap16(v);
  } else if constexpr (sizeof(T) == 4) {
    return __builtin_bswap32(v);
  } else {
    return __builtin_bswap64(v);
  }
}

/// A number of `T`'s size at `p`, in the machine's own order: byte by byte, as constant evaluation must.
template <class T>
constexpr T load_native_by_bytes(const std::byte* p) noexcept {
  auto v = std::to_integer<std::uint64_t>(p[0]);
  for (std::size_t i = 1; i < sizeof(T); ++i) v = v << 8 | std::to_integer<std::uint64_t>(p[i]);
  return in_order(static_cast<T>(v));
}
template <class T>
[[gnu::always_inline]] constexpr T load_native(const std::byte* p) noexcept {
  if (std::is_constant_evaluated()) return load_native_by_bytes<T>(p);
  T v{};
  std::memcpy(&v, p, sizeof v);
  return v;
}

}  // namespace detail

/// Big-endian loads and stores. `p` need not be aligned. A number goes in one piece: of bytes one by one compilers make
/// vectors, or take wider numbers to pieces.
constexpr std::uint8_t load8(const std::byte* p) noexcept { return std::to_integer<std::uint8_t>(*p); }
[[gnu::always_inline]] constexpr std::uint16_t load16(const std::byte* p) noexcept {
  return detail::in_order(detail::load_native<std::uint16_t>(p));
}
[[gnu::always_inline]] constexpr std::uint32_t load32(const std::byte* p) noexcept {
  return detail::in_order(detail::load_native<std::uint32_t>(p));
}
constexpr void store8(std::byte* p, std::uint8_t v) noexcept { *p = std::byte{v}; }
constexpr void store16(std::byte* p, std::uint16_t v) noexcept {
  p[0] = static_cast<std::byte>(v >> 8);
  p[1] = static_cast<std::byte>(v & 0xff);
}

namespace detail {

/// Byte by byte, as constant evaluation must.
constexpr void store32_by_bytes(std::byte* p, std::uint32_t v) noexcept {
  store16(p, static_cast<std::uint16_t>(v >> 16));
  store16(p + 2, static_cast<std::uint16_t>(v & 0xffff));
}

}  // namespace detail

[[gnu::always_inline]] constexpr void store32(std::byte* p, std::uint32_t v) noexcept {
  if (std::is_constant_evaluated()) return detail::store32_by_bytes(p, v);
  v = detail::in_order(v);
  std::memcpy(p, &v, sizeof v);
}

/// Folds carries into 16 bits. Zero only for zero.
constexpr std::uint16_t fold(std::uint64_t sum) noexcept {
  // The upper half of a number and its rotation by half is the sum of both halves and of the carry out of it.
  const auto half = static_cast<std::uint32_t>((sum + std::rotl(sum, 32)) >> 32);
  return static_cast<std::uint16_t>((half + std::rotl(half, 16)) >> 16);
}

namespace detail {

/// The sum of two numbers and of the carry out of it.
[[gnu::always_inline]] constexpr std::uint64_t add(std::uint64_t a, std::uint64_t b) noexcept {
  a += b;
  return a + (a < b ? 1U : 0U);
}

/// The sum of `Words` numbers of eight bytes in the machine's order: no loop is left of it.
template <std::size_t Words>
[[gnu::always_inline]] constexpr std::uint64_t sum_of(const std::byte* p) noexcept {
  const auto last = load_native<std::uint64_t>(p + 8 * (Words - 1));
  if constexpr (Words == 1) {
    return last;
  } else {
    return add(sum_of<Words - 1>(p), last);
  }
}

/// The sum of `bytes` in the machine's order, not folded. An odd last byte is the one that comes first.
constexpr std::uint64_t native_sum(byte_view bytes) noexcept {
  const std::byte* p = bytes.data;
  std::size_t left = bytes.size;
  std::uint64_t sum = 0;
  for (; left >= 32; p += 32, left -= 32) sum = add(sum, sum_of<4>(p));
  for (; left >= 8; p += 8, left -= 8) sum = add(sum, load_native<std::uint64_t>(p));
  if (left >= 4) {
    sum = add(sum, load_native<std::uint32_t>(p));
    p += 4;
    left -= 4;
  }
  if (left >= 2) {
    sum = add(sum, load_native<std::uint16_t>(p));
    p += 2;
    left -= 2;
  }
  if (left != 0) sum = add(sum, in_order(static_cast<std::uint16_t>(load8(p) << 8)));
  return sum;
}

/// Is a sum what it is over bytes that hold their own checksum: ffff, when it is folded? In either order.
constexpr bool sound(std::uint64_t sum) noexcept { return sum % 0xffff == 0 && sum != 0; }

/// The sum of `bytes` in network order on top of `start`, not folded. Of a sum of four words the order does not matter,
/// only that of the bytes in each (RFC 1071 2 (B)).
constexpr std::uint64_t wide_sum(byte_view bytes, std::uint64_t start) noexcept {
  return add(in_order(native_sum(bytes)), start);
}

}  // namespace detail

/// The one's complement sum of `bytes` as 16-bit words in network order, added to `start`; an odd last byte counts as
/// the high half of a word (RFC 1071 1). Parts may be summed one by one as long as only the last has an odd size.
constexpr std::uint16_t ones_sum(byte_view bytes, std::uint16_t start = 0) noexcept {
  return fold(detail::wide_sum(bytes, start));
}

namespace detail {

constexpr std::uint64_t wide_pseudo_header_sum(const ipv4::address& source, const ipv4::address& destination,
                                               std::size_t length, std::uint8_t protocol = protocol_tcp) noexcept {
  return std::uint64_t{source.value} + destination.value + protocol + length;
}
constexpr std::uint64_t wide_pseudo_header_sum(const ipv6::address& source, const ipv6::address& destination,
                                               std::size_t length, std::uint8_t protocol = protocol_tcp) noexcept {
  std::uint64_t sum = protocol + std::uint64_t{length};
  for (const std::uint32_t word : source.value) sum += word;
  for (const std::uint32_t word : destination.value) sum += word;
  return sum;
}

}  // namespace detail

/// The sum of TCP's pseudo-header (RFC 9293 3.1) over IPv4. `length`: TCP header and payload, bytes.
constexpr std::uint16_t pseudo_header_sum(const ipv4::address& source, const ipv4::address& destination,
                                          std::size_t length) noexcept {
  return fold(detail::wide_pseudo_header_sum(source, destination, length));
}

/// The same over IPv6 (RFC 8200 8.1). For two IPv4-mapped addresses it equals IPv4's: each ffff adds nothing.
constexpr std::uint16_t pseudo_header_sum(const ipv6::address& source, const ipv6::address& destination,
                                          std::size_t length, std::uint8_t protocol = protocol_tcp) noexcept {
  return fold(detail::wide_pseudo_header_sum(source, destination, length, protocol));
}

/// The checksum field for `bytes` whose own checksum field is zero, on top of a pseudo-header's sum.
constexpr std::uint16_t checksum(byte_view bytes, std::uint16_t start = 0) noexcept {
  return static_cast<std::uint16_t>(~ones_sum(bytes, start) & 0xffff);
}

/// Is the checksum inside `bytes` right? (Bytes that are all zero, with nothing to start from, are not.)
constexpr bool verify(byte_view bytes, std::uint16_t start = 0) noexcept {
  return detail::sound(detail::wide_sum(bytes, start));
}

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
