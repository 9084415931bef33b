// SPDX-License-Identifier: BSL-1.0
// The record of a finished handshake: what a stack needs to build its own connection.
// It holds no payload: the bytes that came with the final ACK are in that segment, which the stack is handed beside it.
#pragma once

#include <cstdint>
#include <listenq/segment.hpp>

namespace listenq {

/// A finished handshake, or one just about to be finished.
template <addressing A>
struct basic_handshake {
  basic_four_tuple<A> key{};
  seq_number iss = 0;              ///< our ISN; our first byte is iss + 1
  seq_number irs = 0;              ///< theirs; their first byte is irs + 1
  std::uint32_t ts_recent = 0;     ///< their last timestamp, if `timestamps`
  std::uint32_t ts_offset = 0;     ///< our timestamp clock is now / 1 ms + this
  std::uint32_t window = 0;        ///< bytes that our SYN-ACK offered
  std::uint16_t mss = 0;           ///< what our SYN-ACK said
  std::uint16_t peer_mss = 536;    ///< RFC 9293 3.7.1: 536 unless they said otherwise
  std::uint8_t send_scale = 0;     ///< shift for windows that we read
  std::uint8_t receive_scale = 0;  ///< shift for windows that we send
  bool window_scaling = false;
  bool sack = false;
  bool timestamps = false;
  bool ecn = false;
  bool cookie = false;     ///< came out of a SYN cookie, so options may be missing and nothing was stored before
  bool fast_open = false;  ///< made at the SYN: the ACK of our SYN-ACK is still to come, and its repetition the child's

  friend constexpr bool operator==(const basic_handshake&, const basic_handshake&) = default;
};

using handshake = basic_handshake<ipv4>;

/// How the handshake of a connection that was made at its SYN (fast open) has ended.
enum class fast_open_end : std::uint8_t {
  finished,  ///< its ACK has come
  reset,     ///< a RST of its peer
  gone,      ///< anything else: timed out, closed by its owner, its listener closed
};

/// What only the outer stack knows about an inbound segment.
struct arrival {
  seq_number isn = 0;    ///< the ISN that a TIME-WAIT of the same four-tuple demands; 0 if there is none
  bool proven = false;   ///< the peer has completed handshakes before (tcp_peer_is_proven)
  bool refused = false;  ///< a firewall or security hook says no
};

}  // namespace listenq
