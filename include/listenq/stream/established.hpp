// SPDX-License-Identifier: BSL-1.0
// The nouns of stream/: the states of an endpoint, what a handshake leaves behind, what a connection reports.
// Values only; `connector` makes them, `connection` is made of them, and so is a child behind a listener.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <listenq/address.hpp>
#include <listenq/segment.hpp>
#include <listenq/time.hpp>

namespace listenq {

/// The states of RFC 9293 3.3.2 that one endpoint of a connection can be in (LISTEN is the listener's).
enum class connection_state : unsigned char {
  closed,
  syn_sent,
  syn_received,
  established,
  fin_wait_1,
  fin_wait_2,
  close_wait,
  closing,
  last_ack,
  time_wait,
};

/// The name that `ss` prints for a state; "UNCONN" for `closed`.
constexpr const char* state_name(connection_state s) noexcept {
  constexpr const char* names[] = {"UNCONN",     "SYN-SENT",   "SYN-RECV", "ESTAB",    "FIN-WAIT-1",
                                   "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",  "LAST-ACK", "TIME-WAIT"};
  return names[static_cast<std::size_t>(s)];
}

/// What a finished handshake leaves behind, seen from one of its ends: all that a connection needs to begin.
template <addressing A>
struct basic_established {
  basic_four_tuple<A> tuple{};    ///< `local` is us
  seq_number iss = 0;             ///< our SYN's number; the first byte we send is `iss + 1`
  seq_number irs = 0;             ///< their SYN's number
  tcp_options ours{};             ///< as sent in our SYN or SYN-ACK; an option counts when both sides sent it
  tcp_options theirs{};           ///< as received in theirs
  std::uint16_t our_window = 0;   ///< of our SYN or SYN-ACK, not scaled (RFC 7323 2.2); our receive buffer
  std::uint16_t peer_window = 0;  ///< of theirs, not scaled
  std::uint32_t ts_offset = 0;    ///< our TSval is `now` / 1000 plus this
  duration rtt = 0;               ///< of the handshake; 0 when it was not measured
  std::uint16_t carried = 0;      ///< bytes of ours behind the SYN that the SYN-ACK has acknowledged (fast open)

  constexpr bool timestamps() const noexcept { return ours.timestamps && theirs.timestamps; }
  constexpr bool scaled() const noexcept { return ours.has_window_scale() && theirs.has_window_scale(); }
  /// Shift of the windows we send (at most 14, RFC 7323 2.3).
  constexpr unsigned our_shift() const noexcept { return scaled() ? bounded(ours.window_scale) : 0U; }
  /// Shift of the windows we receive.
  constexpr unsigned peer_shift() const noexcept { return scaled() ? bounded(theirs.window_scale) : 0U; }
  /// The first window field after the handshake. Rounded up, as Linux does, so that scaling takes nothing away.
  constexpr std::uint32_t first_window() const noexcept {
    return (our_window + (1U << our_shift()) - 1) >> our_shift();
  }

 private:
  static constexpr unsigned bounded(std::uint8_t shift) noexcept { return std::min(unsigned{shift}, 14U); }
};

/// TSval at `now` (RFC 7323 5.4): a millisecond clock plus the connection's own offset, modulo 2^32.
constexpr std::uint32_t timestamp_at(instant now, std::uint32_t offset) noexcept {
  return static_cast<std::uint32_t>(now / millisecond) + offset;
}

/// Who began: `active` starts in ESTABLISHED, `passive` (a listener's child) in SYN-RECEIVED and must be fed the final
/// ACK. The SYN-ACK and its repetitions are the listener's, not the child's. `fast` (a listener's child that was made
/// at the SYN, RFC 7413) starts in SYN-RECEIVED, too, and must be fed the SYN: it takes its data, may send before the
/// final ACK, and repeats the SYN-ACK itself.
enum class opening : unsigned char { active, passive, fast };

/// Why a connection ended against the will of its owner.
enum class connection_error : unsigned char {
  none,
  reset,        ///< RST from the peer: ECONNRESET
  timed_out,    ///< too many timeouts without an answer: ETIMEDOUT
  unreachable,  ///< an ICMP error, before the handshake was finished: EHOSTUNREACH
};

/// What one call brought about: a set, to be tested with `has`.
struct connection_events {
  std::uint8_t bits = 0;
  constexpr bool has(connection_events e) const noexcept { return (bits & e.bits) == e.bits; }
  constexpr bool empty() const noexcept { return bits == 0; }
  constexpr connection_events& operator|=(connection_events e) noexcept {
    bits = static_cast<std::uint8_t>(bits | e.bits);
    return *this;
  }
  friend constexpr bool operator==(connection_events, connection_events) = default;
};

namespace connection_event {
inline constexpr connection_events none{0x00};
inline constexpr connection_events established{0x01};  ///< the final ACK came (passive opening)
inline constexpr connection_events readable{0x02};     ///< new bytes to read
inline constexpr connection_events acked{0x04};        ///< the peer took some of ours; there is room to send
inline constexpr connection_events peer_closed{0x08};  ///< FIN: no bytes after those to read
inline constexpr connection_events closed{0x10};       ///< the end, whatever the reason; see `error()`
inline constexpr connection_events reused{0x20};       ///< a new SYN ended TIME-WAIT: give it to the listener
}  // namespace connection_event

using established = basic_established<ipv4>;

}  // namespace listenq
