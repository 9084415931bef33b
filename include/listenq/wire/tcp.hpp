// SPDX-License-Identifier: BSL-1.0
// Bytes <-> segment: the TCP header with its options (RFC 9293 3.1), and whole IP packets around it.
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
#include <listenq/wire/tcp_options.hpp>
#include <new>
#include <type_traits>

namespace listenq::wire {

/// Are checksums computed here, or has the hardware seen to it? `trust` reads over a wrong TCP checksum.
enum class checksums : unsigned char { verify, trust };

/// What became of bytes. `segment` is meaningful when `error` is `none`; its payload points into the parsed bytes.
template <addressing A>
struct parsed {
  parse_error error = parse_error::none;
  option_fault fault = option_fault::none;  ///< the first one
  basic_segment<A> segment{};
  constexpr explicit operator bool() const noexcept { return error == parse_error::none; }
};

namespace detail {

/// The segment in bytes whose header, of `header_size`, is sound. It comes to be in its place: one that is copied while
/// it is still on its way to the cache costs more than to read it.
template <addressing A>
[[gnu::always_inline]] constexpr parsed<A> sound_tcp(byte_view bytes, std::size_t header_size,
                                                     const typename A::address& source,
                                                     const typename A::address& destination) noexcept {
  const std::byte* p = bytes.data;
  const flags set{load8(p + 13)};
  parsed<A> result{.segment = {.source = {source, load16(p)},
                               .destination = {destination, load16(p + 2)},
                               .seq = load32(p + 4),
                               .ack = load32(p + 8),
                               .flags = set,
                               .window = load16(p + 14),
                               .payload = {p + header_size, bytes.size - header_size}}};
  result.fault = read_options(result.segment.options, {p + 20, header_size - 20}, set.has(flag::syn));
  return result;
}

/// `parse_tcp`.
template <addressing A>
[[gnu::always_inline]] constexpr parsed<A> read_tcp(byte_view bytes, const typename A::address& source,
                                                    const typename A::address& destination, checksums check) noexcept {
  const auto refused = [](parse_error why) noexcept { return parsed<A>{.error = why}; };
  if (bytes.size < 20) return refused(parse_error::too_short);
  const std::size_t header_size = (std::size_t{load8(bytes.data + 12)} >> 4) * 4;
  if (header_size < 20 || header_size > bytes.size) return refused(parse_error::bad_data_offset);
  if (check == checksums::verify && !sound(wide_sum(bytes, wide_pseudo_header_sum(source, destination, bytes.size)))) {
    return refused(parse_error::bad_checksum);
  }
  return sound_tcp<A>(bytes, header_size, source, destination);
}

}  // namespace detail

/// Reads a TCP segment that fills `bytes`, between two addresses of `A` (ipv4, ipv6 or dual).
/// Errors: too_short, bad_data_offset, bad_checksum, asked in this order.
template <addressing A>
constexpr parsed<A> parse_tcp(byte_view bytes, const typename A::address& source,
                              const typename A::address& destination, checksums check = checksums::verify) noexcept {
  return detail::read_tcp<A>(bytes, source, destination, check);
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

namespace detail {

/// The first 20 bytes, with the checksum. `rest` is the sum of what is behind them, not folded.
template <addressing A>
[[gnu::always_inline]] constexpr void put_header(const basic_segment<A>& s, std::byte* p, std::size_t header_size,
                                                 std::size_t size, std::uint64_t rest) noexcept {
  const std::uint64_t sum =
      rest + wide_pseudo_header_sum(s.source.address, s.destination.address, size) +
      put(p, std::uint32_t{s.source.port} << 16 | s.destination.port, s.seq, s.ack,
          static_cast<std::uint32_t>(header_size) << 26 | std::uint32_t{s.flags.bits} << 16 | s.window);
  store32(p + 16, (~std::uint32_t{fold(sum)} & 0xffff) << 16);
}

/// What nearly every SYN and SYN-ACK is: no payload, and the options that Linux has, all of them and no other.
template <addressing A>
constexpr bool is_usual_syn(const basic_segment<A>& s) noexcept {
  const tcp_options& o = s.options;
  return s.flags.has(flag::syn) && o.mss != 0 && o.sack_permitted && o.timestamps && o.has_window_scale() &&
         !o.fast_open.present() && s.payload.empty();
}
inline constexpr std::size_t usual_syn_size = 40;

/// Writes such a one: what `write_any_tcp` would, of a size that is known.
template <addressing A>
[[gnu::always_inline]] constexpr void put_usual_syn(const basic_segment<A>& s, std::byte* p) noexcept {
  const tcp_options& o = s.options;
  put_header(s, p, usual_syn_size, usual_syn_size,
             put(p + 20, 0x0204'0000U | o.mss, 0x0402'080aU, o.ts_value, o.ts_echo,
                 0x0103'0300U | clamped_scale(o.window_scale)));
}

/// `write_tcp`, whatever there is.
template <addressing A>
constexpr std::size_t write_any_tcp(const basic_segment<A>& s, byte_span out) noexcept {
  const bool syn = s.flags.has(flag::syn);
  const std::size_t header_size = 20 + options_size(s.options, syn);
  if (out.size < header_size || out.size - header_size < s.payload.size) return 0;
  std::byte* p = out.data;
  if (std::is_constant_evaluated()) {
    std::copy(s.payload.begin(), s.payload.end(), p + header_size);
  } else if (s.payload.size != 0) {
    std::memmove(p + header_size, s.payload.data, s.payload.size);
  }
  const std::uint64_t options = write_options(s.options, syn, p + 20);
  put_header(s, p, header_size, header_size + s.payload.size, options + ones_sum({p + header_size, s.payload.size}));
  return header_size + s.payload.size;
}

}  // namespace detail

/// Writes a TCP segment with its checksum and returns its size, or 0 when `out` is too small; then nothing is written.
/// The payload may lie inside `out`. The urgent pointer is 0.
template <addressing A>
constexpr std::size_t write_tcp(const basic_segment<A>& s, byte_span out) noexcept {
  if (out.size < detail::usual_syn_size || !detail::is_usual_syn(s)) return detail::write_any_tcp(s, out);
  detail::put_usual_syn(s, out.data);
  return detail::usual_syn_size;
}

namespace detail {

constexpr std::size_t write_ip(const ipv4::address& source, const ipv4::address& destination, std::size_t payload_size,
                               byte_span out) noexcept {
  return write_ipv4({.source = source, .destination = destination}, payload_size, out);
}
constexpr std::size_t write_ip(const ipv6::address& source, const ipv6::address& destination, std::size_t payload_size,
                               byte_span out) noexcept {
  return write_ipv6({.source = source, .destination = destination}, payload_size, out);
}

/// `write_packet`, whatever there is.
template <std::size_t IpSize, addressing A, class Address>
[[gnu::noinline]] constexpr std::size_t write_any_packet(const basic_segment<A>& s, const Address& source,
                                                         const Address& destination, byte_span out) noexcept {
  const std::size_t size = write_any_tcp(s, behind(out, IpSize));
  return size != 0 && write_ip(source, destination, size, out) != 0 ? IpSize + size : 0;
}
template <std::size_t IpSize, addressing A, class Address>
[[gnu::always_inline]] constexpr std::size_t write_packet(const basic_segment<A>& s, const Address& source,
                                                          const Address& destination, byte_span out) noexcept {
  if (out.size < IpSize + usual_syn_size || !is_usual_syn(s)) {
    return write_any_packet<IpSize>(s, source, destination, out);
  }
  put_usual_syn(s, out.data + IpSize);
  return usual_syn_size + write_ip(source, destination, usual_syn_size, out);
}

}  // namespace detail

/// Writes a whole packet: IP header (no options, TTL 64, DF) and segment. Returns its size, or 0 when `out` is too
/// small or the packet too long for IP; what `out` then holds is unspecified.
constexpr std::size_t write_packet(const basic_segment<ipv4>& s, byte_span out) noexcept {
  return detail::write_packet<ipv4_header::size>(s, s.source.address, s.destination.address, out);
}
constexpr std::size_t write_packet(const basic_segment<ipv6>& s, byte_span out) noexcept {
  return detail::write_packet<ipv6_header::size>(s, s.source.address, s.destination.address, out);
}

/// The same for either family: between two IPv4-mapped addresses an IPv4 packet, else IPv6.
constexpr std::size_t write_packet(const basic_segment<dual>& s, byte_span out) noexcept {
  const auto &from = s.source.address, &to = s.destination.address;
  if (dual::is_mapped(from) && dual::is_mapped(to)) {
    return detail::write_packet<ipv4_header::size>(s, ipv4::address{from.value[3]}, ipv4::address{to.value[3]}, out);
  }
  return detail::write_packet<ipv6_header::size>(s, from, to, out);
}

namespace detail {

/// `read_packet`, whatever it is.
template <addressing A>
[[gnu::noinline]] constexpr parsed<A> read_any_packet(byte_view bytes, checksums check) noexcept {
  const auto read = [check](const auto& packet, auto address_of) noexcept {
    if (!packet) return parsed<A>{.error = packet.error};
    return read_tcp<A>(packet.payload, address_of(packet.header.source), address_of(packet.header.destination), check);
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

/// Is this an IPv4 packet with a usual SYN (see `is_usual_syn`), neither with options of IP, and are its sums right?
/// Only yes is an answer: what is no such packet, or is one with a fault, is for `read_any_packet` to judge.
[[gnu::always_inline]] constexpr bool holds_usual_syn(byte_view bytes, checksums check) noexcept {
  constexpr std::size_t size = ipv4_header::size + usual_syn_size;
  const std::byte* p = bytes.data;
  const bool looks_so = bytes.size >= size && (load32(p) & 0xff00'ffffU) == (0x4500'0000U | size) &&
                        (load16(p + 6) & 0x3fffU) == 0 && load8(p + 9) == protocol_tcp &&
                        (load32(p + 32) & 0xf002'0000U) == 0xa002'0000U && are_usual_syn_options(p + 40);
  if (!looks_so) [[unlikely]]
    return false;
  // Of the addresses, which are in both, the sum is at hand.
  const auto addresses = load_native<std::uint64_t>(p + 12);
  const std::uint64_t before = add(load_native<std::uint64_t>(p), load_native<std::uint32_t>(p + 8));
  constexpr std::uint64_t rest = in_order(std::uint64_t{protocol_tcp} + usual_syn_size);
  return sound(add(before, addresses)) &&
         (check == checksums::trust || sound(add(add(sum_of<5>(p + 20), addresses), rest)));
}

/// The segment in such a packet.
template <addressing A>
[[gnu::always_inline]] constexpr basic_segment<A> usual_syn_in(const std::byte* p) noexcept {
  const auto address_at = [p](std::size_t at) noexcept {
    if constexpr (std::same_as<A, ipv4>) {
      return ipv4::address{load32(p + at)};
    } else {
      return dual::mapped({load32(p + at)});
    }
  };
  const std::uint32_t ports = load32(p + 20), middle = load32(p + 32);
  basic_segment<A> s{
      .source = {address_at(12), static_cast<std::uint16_t>(ports >> 16)},
      .destination = {address_at(16), static_cast<std::uint16_t>(ports & 0xffff)},
      .seq = load32(p + 24),
      .ack = load32(p + 28),
      .flags = {static_cast<std::uint8_t>(middle >> 16 & 0xff)},
      .window = static_cast<std::uint16_t>(middle & 0xffff),
      .payload = {p + 60, load16(p + 2) - 60U}};  // 0: but as a constant it would have all set to 0 in a loop
  read_usual_syn_options(s.options, p + 40);
  return s;
}

}  // namespace detail

/// Reads a whole packet. Errors: those of `parse_ipv4` or `parse_ipv6`, then those of `parse_tcp`. `dual` takes both
/// versions and yields IPv4 addresses in their mapped form.
template <addressing A>
requires std::same_as<A, ipv4> || std::same_as<A, ipv6> || std::same_as<A, dual>
constexpr parsed<A> read_packet(byte_view bytes, checksums check = checksums::verify) noexcept {
  if constexpr (!std::same_as<A, ipv6>) {
    if (detail::holds_usual_syn(bytes, check)) [[likely]]
      return {.segment = detail::usual_syn_in<A>(bytes.data)};
  }
  return detail::read_any_packet<A>(bytes, check);
}

/// The same into `place`, which is left as it is if there is an error. For bursts: nothing is copied that has just been
/// stored, which would stall.
template <addressing A>
parse_error read_packet_into(basic_segment<A>& place, byte_view bytes, checksums check = checksums::verify) noexcept {
  if constexpr (!std::same_as<A, ipv6>) {
    if (detail::holds_usual_syn(bytes, check)) [[likely]] {
      ::new (static_cast<void*>(&place)) basic_segment<A>(detail::usual_syn_in<A>(bytes.data));
      return parse_error::none;
    }
  }
  const parsed<A> read = detail::read_any_packet<A>(bytes, check);
  if (read) place = read.segment;
  return read.error;
}

}  // namespace listenq::wire
