// SPDX-License-Identifier: BSL-1.0
// Bytes <-> segment: the TCP header and its options (RFC 9293 3.1), and whole IP packets around it.
// It keeps what a segment has and nothing else: the urgent pointer, reserved bits and unknown options are not carried.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <listenq/address.hpp>
#include <listenq/segment.hpp>
#include <listenq/wire/checksum.hpp>
#include <listenq/wire/ipv4.hpp>
#include <listenq/wire/ipv6.hpp>
#include <type_traits>

namespace listenq::wire {

/// Something in the option list that is not as it should be. The segment is valid all the same, as Linux has it.
enum class option_fault : unsigned char {
  none,
  truncated_option,   ///< the length byte is missing or reaches past the header; parsing stopped there
  bad_option_length,  ///< a length of 0 or 1; parsing stopped there
  wrong_option_size,  ///< a known option of another size than its own; it was skipped and parsing went on
};
inline constexpr std::size_t option_fault_count = 4;

/// Are checksums computed here, or has the hardware seen to it? `trust` reads over a wrong TCP checksum.
enum class checksums : unsigned char { verify, trust };

/// Largest window scale (RFC 7323 2.3). A larger one is read and written as this.
inline constexpr std::uint8_t max_window_scale = 14;
constexpr std::uint8_t clamped_scale(std::uint8_t shift) noexcept {
  return shift > max_window_scale ? max_window_scale : shift;
}

/// The magic number of the experimental fast-open option (Linux, TCPOPT_FASTOPEN_MAGIC; RFC 6994).
inline constexpr std::uint16_t fast_open_magic = 0xf989;

/// Reads a cookie of `size` bytes: as Linux's tcp_parse_fastopen_option, an odd size changes nothing and another wrong
/// size leaves no option. False if the size was wrong.
constexpr bool read_fast_open(fast_open_option& o, const std::byte* p, std::size_t size, bool experimental) noexcept {
  if (size % 2 != 0) return false;
  o = {};
  if (size != 0 && (size < o.least || size > o.most)) return false;
  for (std::size_t i = 0; i < size; ++i) o.bytes[i] = load8(p + i);
  o.size = static_cast<std::uint8_t>(size);
  o.experimental = experimental;
  return true;
}

/// Bytes that a fast-open option takes with its padding; 0 for one that is absent or whose size is wrong.
constexpr std::size_t fast_open_size(const fast_open_option& o) noexcept {
  if (!o.asks() && !o.has_cookie()) return 0;
  return (o.size + (o.experimental ? std::size_t{7} : std::size_t{5})) / 4 * 4;
}

/// The options that were understood, and the first fault among them.
struct parsed_options {
  tcp_options options{};
  option_fault fault = option_fault::none;
};

/// What became of bytes. `segment` is meaningful when `error` is `none`; its payload points into the parsed bytes.
template <addressing A>
struct parsed {
  parse_error error = parse_error::none;
  option_fault fault = option_fault::none;  ///< the first one
  basic_segment<A> segment{};
  constexpr explicit operator bool() const noexcept { return error == parse_error::none; }
};

/// Reads an option list: the header's bytes after the first 20. MSS, window scale, SACK-permitted and fast open count
/// only in a SYN (RFC 9293 3.2, RFC 7323 2.2, RFC 2018 2, RFC 7413 2) and are ignored elsewhere; an MSS of 0 is no MSS;
/// of duplicates the later wins; what a fault hides is absent.
constexpr parsed_options parse_options(byte_view bytes, bool syn) noexcept {
  parsed_options result;
  tcp_options& o = result.options;
  const std::byte* p = bytes.data;
  std::size_t left = bytes.size;
  // The two layouts that nearly every segment has (see write_options), a word at a time.
  if (!syn && left == 12 && load32(p) == 0x0101'080a) {
    o.timestamps = true;
    o.ts_value = load32(p + 4);
    o.ts_echo = load32(p + 8);
    return result;
  }
  if (syn && left == 20 && load16(p) == 0x0204 && load32(p + 4) == 0x0402'080a && load32(p + 16) >> 8 == 0x01'0303) {
    o = {.mss = load16(p + 2), .sack_permitted = true, .timestamps = true};
    o.ts_value = load32(p + 8);
    o.ts_echo = load32(p + 12);
    o.window_scale = clamped_scale(load8(p + 19));
    return result;
  }
  const auto note = [&result](option_fault f) noexcept {
    if (result.fault == option_fault::none) result.fault = f;
  };
  for (std::size_t length{}; left != 0; p += length, left -= length) {
    const std::uint8_t kind = load8(p);
    length = 1;
    if (kind == 0) break;     // end of list
    if (kind == 1) continue;  // no operation
    if (left < 2) {
      note(option_fault::truncated_option);
      break;
    }
    length = load8(p + 1);
    if (length < 2) {
      note(option_fault::bad_option_length);
      break;
    }
    if (length > left) {
      note(option_fault::truncated_option);
      break;
    }
    const std::size_t proper = kind == 2 ? 4U : kind == 3 ? 3U : kind == 4 ? 2U : kind == 8 ? 10U : length;
    if (length != proper) {
      note(option_fault::wrong_option_size);
    } else if (kind == 2 && syn) {
      if (const std::uint16_t mss = load16(p + 2); mss != 0) o.mss = mss;
    } else if (kind == 3 && syn) {
      o.window_scale = clamped_scale(load8(p + 2));
    } else if (kind == 4 && syn) {
      o.sack_permitted = true;
    } else if (kind == 8) {
      o.timestamps = true;
      o.ts_value = load32(p + 2);
      o.ts_echo = load32(p + 6);
    } else if (kind == 34 && syn) {
      if (!read_fast_open(o.fast_open, p + 2, length - 2, false)) note(option_fault::wrong_option_size);
    } else if (kind == 254 && syn && length >= 4 && load16(p + 2) == fast_open_magic) {
      if (!read_fast_open(o.fast_open, p + 4, length - 4, true)) note(option_fault::wrong_option_size);
    }
  }
  return result;
}

/// Bytes that `write_options` takes: 0..40, a multiple of 4.
constexpr std::size_t options_size(const tcp_options& o, bool syn) noexcept {
  std::size_t size = o.timestamps ? 12 : 0;
  if (!syn) return size;
  if (o.mss != 0) size += 4;
  if (o.sack_permitted && !o.timestamps) size += 4;
  if (o.has_window_scale()) size += 4;
  return size + fast_open_size(o.fast_open);
}

/// Writes options in Linux's order, each group a multiple of 4 bytes: MSS; SACK-permitted and timestamps together, or
/// either behind two NOPs; NOP and window scale; fast open and NOPs. Without SYN only the timestamps are written. `out`
/// has at least `options_size` bytes. Returns the sum of the 32-bit words, for the checksum.
constexpr std::uint64_t write_options(const tcp_options& o, bool syn, std::byte* out) noexcept {
  std::uint64_t sum = 0;
  const auto word = [&](std::uint32_t v) noexcept {
    store32(out, v);
    out += 4;
    sum += v;
  };
  const bool sack = syn && o.sack_permitted;
  if (syn && o.mss != 0) word(0x0204'0000U | o.mss);
  if (o.timestamps) {
    word(sack ? 0x0402'080aU : 0x0101'080aU);
    word(o.ts_value);
    word(o.ts_echo);
  } else if (sack) {
    word(0x0101'0402U);
  }
  if (!syn) return sum;
  if (o.has_window_scale()) word(0x0103'0300U | clamped_scale(o.window_scale));
  const fast_open_option& f = o.fast_open;
  const std::size_t head = f.experimental ? 4 : 2;
  const auto byte_at = [&](std::size_t i) noexcept -> std::uint32_t {
    if (i == 0) return f.experimental ? 254 : 34;
    if (i == 1) return static_cast<std::uint32_t>(head + f.size);
    if (i < head) return i == 2 ? fast_open_magic >> 8 : fast_open_magic & 0xff;
    return i - head < f.size ? f.bytes[i - head] : 1U;
  };
  for (std::size_t i = 0; i < fast_open_size(f); i += 4) {
    word(byte_at(i) << 24 | byte_at(i + 1) << 16 | byte_at(i + 2) << 8 | byte_at(i + 3));
  }
  return sum;
}

/// Reads a TCP segment that fills `bytes`, between two addresses of `A` (ipv4, ipv6 or dual).
/// Errors: too_short, bad_data_offset, bad_checksum, asked in this order.
template <addressing A>
constexpr parsed<A> parse_tcp(byte_view bytes, const typename A::address& source,
                              const typename A::address& destination, checksums check = checksums::verify) noexcept {
  parsed<A> result;
  const std::byte* p = bytes.data;
  if (bytes.size < 20) {
    result.error = parse_error::too_short;
    return result;
  }
  const std::size_t header_size = (std::size_t{load8(p + 12)} >> 4) * 4;
  if (header_size < 20 || header_size > bytes.size) {
    result.error = parse_error::bad_data_offset;
    return result;
  }
  if (check == checksums::verify && !verify(bytes, pseudo_header_sum(source, destination, bytes.size))) {
    result.error = parse_error::bad_checksum;
    return result;
  }
  basic_segment<A>& s = result.segment;
  s.source = {source, load16(p)};
  s.destination = {destination, load16(p + 2)};
  s.seq = load32(p + 4);
  s.ack = load32(p + 8);
  s.flags = {load8(p + 13)};
  s.window = load16(p + 14);
  const parsed_options read = parse_options({p + 20, header_size - 20}, s.flags.has(flag::syn));
  s.options = read.options;
  result.fault = read.fault;
  s.payload = {p + header_size, bytes.size - header_size};
  return result;
}

/// `s` as it may leave where `room` bytes are behind the IP header: a SYN's MSS is at most what a TCP header without
/// options leaves of them (RFC 9293 3.7.1, RFC 6691). One that offers none (0) still offers none.
template <addressing A>
constexpr basic_segment<A> with_mss_below(basic_segment<A> s, std::size_t room) noexcept {
  const std::size_t most = room - std::min(room, std::size_t{20});
  if (s.flags.has(flag::syn)) s.options.mss = static_cast<std::uint16_t>(std::min<std::size_t>(s.options.mss, most));
  return s;
}

/// Bytes that `write_tcp` takes for `s`.
template <addressing A>
constexpr std::size_t tcp_size(const basic_segment<A>& s) noexcept {
  return 20 + options_size(s.options, s.flags.has(flag::syn)) + s.payload.size;
}

/// Writes a TCP segment with its checksum and returns its size, or 0 when `out` is too small; then nothing is written.
/// The payload may lie inside `out`. The urgent pointer is 0.
template <addressing A>
constexpr std::size_t write_tcp(const basic_segment<A>& s, byte_span out) noexcept {
  const bool syn = s.flags.has(flag::syn);
  const std::size_t header_size = 20 + options_size(s.options, syn);
  if (out.size < header_size || out.size - header_size < s.payload.size) return 0;
  std::byte* p = out.data;
  if (std::is_constant_evaluated()) {
    std::copy(s.payload.begin(), s.payload.end(), p + header_size);
  } else if (s.payload.size != 0) {
    std::memmove(p + header_size, s.payload.data, s.payload.size);
  }
  // Summed from the values: reading back what was just stored would stall.
  std::uint64_t sum = write_options(s.options, syn, p + 20);
  const auto word = [&](std::size_t at, std::uint32_t v) noexcept {
    store32(p + at, v);
    sum += v;
  };
  word(0, std::uint32_t{s.source.port} << 16 | s.destination.port);
  word(4, s.seq);
  word(8, s.ack);
  word(12, static_cast<std::uint32_t>(header_size) << 26 | std::uint32_t{s.flags.bits} << 16 | s.window);
  const std::size_t size = header_size + s.payload.size;
  sum += pseudo_header_sum(s.source.address, s.destination.address, size);
  sum += ones_sum({p + header_size, s.payload.size});
  store32(p + 16, (~std::uint32_t{fold(sum)} & 0xffff) << 16);
  return size;
}

/// Writes a whole packet: IP header (no options, TTL 64, DF) and segment. Returns its size, or 0 when `out` is too
/// small or the packet too long for IP; what `out` then holds is unspecified.
constexpr std::size_t write_packet(const basic_segment<ipv4>& s, byte_span out) noexcept {
  const std::size_t size = write_tcp(s, behind(out, ipv4_header::size));
  const ipv4_header header{.source = s.source.address, .destination = s.destination.address};
  return size != 0 && write_ipv4(header, size, out) != 0 ? ipv4_header::size + size : 0;
}
constexpr std::size_t write_packet(const basic_segment<ipv6>& s, byte_span out) noexcept {
  const std::size_t size = write_tcp(s, behind(out, ipv6_header::size));
  const ipv6_header header{.source = s.source.address, .destination = s.destination.address};
  return size != 0 && write_ipv6(header, size, out) != 0 ? ipv6_header::size + size : 0;
}

/// The same for either family: between two IPv4-mapped addresses an IPv4 packet, else IPv6.
constexpr std::size_t write_packet(const basic_segment<dual>& s, byte_span out) noexcept {
  const auto &from = s.source.address, &to = s.destination.address;
  const bool v4 = dual::is_mapped(from) && dual::is_mapped(to);
  const std::size_t ip_size = v4 ? ipv4_header::size : ipv6_header::size;
  const std::size_t size = write_tcp(s, behind(out, ip_size));
  if (size == 0) return 0;
  const std::size_t written = v4 ? write_ipv4({.source = {from.value[3]}, .destination = {to.value[3]}}, size, out)
                                 : write_ipv6({.source = from, .destination = to}, size, out);
  return written != 0 ? ip_size + size : 0;
}

/// Reads a whole packet. Errors: those of `parse_ipv4` or `parse_ipv6`, then those of `parse_tcp`. `dual` takes both
/// versions and yields IPv4 addresses in their mapped form.
template <addressing A>
requires std::same_as<A, ipv4> || std::same_as<A, ipv6> || std::same_as<A, dual>
constexpr parsed<A> read_packet(byte_view bytes, checksums check = checksums::verify) noexcept {
  const auto read = [check](const auto& packet, auto address_of) noexcept -> parsed<A> {
    if (!packet) return {.error = packet.error};
    return parse_tcp<A>(packet.payload, address_of(packet.header.source), address_of(packet.header.destination), check);
  };
  const auto as_is = [](const auto& address) noexcept { return address; };
  if constexpr (std::same_as<A, ipv4>) {
    return read(parse_ipv4(bytes), as_is);
  } else if constexpr (std::same_as<A, ipv6>) {
    return read(parse_ipv6(bytes), as_is);
  } else {
    const bool v4 = !bytes.empty() && load8(bytes.data) >> 4 == 4;
    return v4 ? read(parse_ipv4(bytes), dual::mapped) : read(parse_ipv6(bytes), as_is);
  }
}

}  // namespace listenq::wire
