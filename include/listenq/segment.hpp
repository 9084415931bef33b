// SPDX-License-Identifier: BSL-1.0
// The segment: one TCP segment after parsing and before building, and arithmetic on its sequence numbers.
// It has no checksum, no header length and no byte order: those are the business of wire/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/address.hpp>
#include <listenq/static_array.hpp>
#include <listenq/time.hpp>

namespace listenq {

/// The control bits of RFC 9293 3.1 (and RFC 3168's two).
struct flags {
  std::uint8_t bits = 0;
  constexpr bool has(flags f) const noexcept { return (bits & f.bits) == f.bits; }
  constexpr bool any(flags f) const noexcept { return (bits & f.bits) != 0; }
  constexpr flags without(flags f) const noexcept { return {static_cast<std::uint8_t>(bits & ~f.bits)}; }
  friend constexpr flags operator|(flags a, flags b) noexcept { return {static_cast<std::uint8_t>(a.bits | b.bits)}; }
  friend constexpr flags operator&(flags a, flags b) noexcept { return {static_cast<std::uint8_t>(a.bits & b.bits)}; }
  friend constexpr bool operator==(flags, flags) = default;
};

namespace flag {
inline constexpr flags none{0x00};
inline constexpr flags fin{0x01};
inline constexpr flags syn{0x02};
inline constexpr flags rst{0x04};
inline constexpr flags psh{0x08};
inline constexpr flags ack{0x10};
inline constexpr flags urg{0x20};
inline constexpr flags ece{0x40};
inline constexpr flags cwr{0x80};
}  // namespace flag

/// A sequence number; compared modulo 2^32 (RFC 9293 3.4).
using seq_number = std::uint32_t;

/// True when `a` comes before `b`; numbers 2^31 apart have no order and compare false one way.
constexpr bool seq_before(seq_number a, seq_number b) noexcept { return static_cast<std::int32_t>(a - b) < 0; }
constexpr bool seq_after(seq_number a, seq_number b) noexcept { return seq_before(b, a); }

/// Does [seq, end) touch the window [left, right)? An empty segment at the right edge itself counts as inside
/// (RFC 9293 3.10.7.4 as Linux's tcp_in_window reads it). `right - left` must be below 2^31.
constexpr bool in_window(seq_number seq, seq_number end, seq_number left, seq_number right) noexcept {
  if (seq == left) return true;
  if (seq_after(end, left) && seq_before(seq, right)) return true;
  return seq == right && seq == end;
}

/// Is a timestamp older than the one remembered (PAWS, RFC 7323 5.2)? Half of all numbers away is not older, and a
/// remembered 0 makes nothing old: there are stacks whose clock is 0 in the SYN (Linux, tcp_paws_check).
constexpr bool timestamp_older(std::uint32_t value, std::uint32_t remembered) noexcept {
  return remembered != 0 && static_cast<std::int32_t>(remembered - value) > 0;
}

/// Bytes owned by somebody else; valid until that somebody's next `receive()`.
struct byte_view {
  const std::byte* data = nullptr;
  std::size_t size = 0;
  constexpr bool empty() const noexcept { return size == 0; }
  constexpr const std::byte* begin() const noexcept { return data; }
  constexpr const std::byte* end() const noexcept { return data + size; }
};

/// The fast-open option of a SYN or SYN-ACK (RFC 7413 2): absent, a request for a cookie, or a cookie.
struct fast_open_option {
  static constexpr std::uint8_t absent = 0xff;
  static constexpr std::uint8_t least = 4, most = 16;  ///< bytes of a cookie, an even number

  static_array<std::uint8_t, most> bytes{};  ///< those behind `size` are 0
  std::uint8_t size = absent;                ///< 0 asks for a cookie
  bool experimental = false;                 ///< kind 254 and a magic number, as Linux 3.7 to 4.0, instead of kind 34

  static constexpr fast_open_option request() noexcept {
    fast_open_option o;
    o.size = 0;
    return o;
  }
  constexpr bool present() const noexcept { return size != absent; }
  constexpr bool asks() const noexcept { return size == 0; }
  /// A cookie of a size that may be sent.
  constexpr bool has_cookie() const noexcept { return size >= least && size <= most && size % 2 == 0; }
  /// The same cookie, in whatever option.
  constexpr bool same_cookie(const fast_open_option& other) const noexcept {
    return size == other.size && bytes == other.bytes;
  }
  friend constexpr bool operator==(const fast_open_option&, const fast_open_option&) = default;
};

/// The options that a handshake negotiates. Absence is a value: `mss` 0, `window_scale` `no_window_scale`.
struct tcp_options {
  static constexpr std::uint8_t no_window_scale = 0xff;

  std::uint16_t mss = 0;                        ///< RFC 9293 3.7.1, bytes
  std::uint8_t window_scale = no_window_scale;  ///< RFC 7323 2, 0..14
  bool sack_permitted = false;                  ///< RFC 2018 2
  bool timestamps = false;                      ///< RFC 7323 3: the two values below are present
  std::uint32_t ts_value = 0;
  std::uint32_t ts_echo = 0;
  fast_open_option fast_open{};  ///< RFC 7413 2

  constexpr bool has_window_scale() const noexcept { return window_scale != no_window_scale; }
  friend constexpr bool operator==(const tcp_options&, const tcp_options&) = default;
};

/// One TCP segment.
template <addressing A>
struct basic_segment {
  using addressing_type = A;

  basic_endpoint<A> source{};
  basic_endpoint<A> destination{};
  seq_number seq = 0;
  seq_number ack = 0;  ///< meaningful when `flags` has `ack`
  listenq::flags flags{};
  std::uint16_t window = 0;  ///< as sent, not scaled
  tcp_options options{};
  byte_view payload{};

  /// The number after the last one this segment occupies: payload, SYN and FIN each count.
  constexpr seq_number end() const noexcept {
    return seq + static_cast<seq_number>(payload.size) + (flags.has(flag::syn) ? 1U : 0U) +
           (flags.has(flag::fin) ? 1U : 0U);
  }
};

using segment = basic_segment<ipv4>;

/// The same segment between two other endpoints, which may be of another family.
template <addressing To, addressing From>
constexpr basic_segment<To> readdressed(const basic_segment<From>& s, const basic_endpoint<To>& source,
                                        const basic_endpoint<To>& destination) noexcept {
  return {source, destination, s.seq, s.ack, s.flags, s.window, s.options, s.payload};
}

/// The connection that an inbound segment belongs to, seen from the receiver.
template <addressing A>
constexpr basic_four_tuple<A> four_tuple_of(const basic_segment<A>& s) noexcept {
  return {s.source.address, s.destination.address, s.source.port, s.destination.port};
}

/// Is that the connection it belongs to? What most tuples of a listener differ in comes first.
template <addressing A>
constexpr bool belongs_to(const basic_segment<A>& s, const basic_four_tuple<A>& t) noexcept {
  return t.peer_port == s.source.port && t.peer_address == s.source.address && t.local_port == s.destination.port &&
         t.local_address == s.destination.address;
}

/// A segment from us to the peer of `t`, with nothing in it yet.
template <addressing A>
constexpr basic_segment<A> segment_to_peer(const basic_four_tuple<A>& t) noexcept {
  basic_segment<A> s;
  s.source = t.local();
  s.destination = t.peer();
  return s;
}

namespace detail {

/// `reset_for` where something is known of the flags of `in`, which are `f`.
template <addressing A>
[[gnu::always_inline]] constexpr basic_segment<A> reset_for(const basic_segment<A>& in, flags f) noexcept {
  basic_segment<A> r;
  r.source = in.destination;
  r.destination = in.source;
  if (f.has(flag::ack)) {
    r.flags = flag::rst;
    r.seq = in.ack;
  } else {
    r.flags = flag::rst | flag::ack;
    r.ack = in.end();
  }
  return r;
}

}  // namespace detail

/// The RST that a closed port or a listener gives to a segment nobody wants (RFC 9293 3.10.7.1). A segment that has
/// RST itself must not be answered; that is for the caller to see to.
template <addressing A>
constexpr basic_segment<A> reset_for(const basic_segment<A>& in) noexcept {
  return detail::reset_for(in, in.flags);
}

}  // namespace listenq
