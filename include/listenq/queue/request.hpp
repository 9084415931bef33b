// SPDX-License-Identifier: BSL-1.0
// The request: one half-open connection as the request queue stores it, and nothing a SYN-ACK could be rebuilt without.
// 48 bytes for IPv4; with its place in the hash table, the table itself and its timer links, 64.
#pragma once

#include <cstdint>
#include <listenq/handshake.hpp>

namespace listenq {

/// A half-open connection.
template <addressing A>
struct request {
  using addressing_type = A;
  instant deadline = 0;  ///< when its timer is due
  basic_four_tuple<A> key{};
  seq_number irs = 0;           ///< the peer's ISN
  seq_number iss = 0;           ///< ours
  std::uint32_t ts_recent = 0;  ///< the timestamp that our next SYN-ACK echoes
  std::uint32_t first_ts = 0;   ///< the timestamp of our first SYN-ACK
  std::uint32_t last_ts = 0;    ///< and of the latest one
  std::uint16_t peer_mss = 536;
  std::uint16_t answered_at = 0;  ///< when it last got a rate-limited answer, in units of `answer_unit`; see `answered`
  std::uint8_t send_scale = 0;    ///< the peer's window scale
  std::uint8_t timeouts = 0;      ///< timers that have passed; 0 means young
  std::uint8_t retransmits = 0;   ///< SYN-ACKs sent again
  bool window_scaling : 1 = false;
  bool sack : 1 = false;
  bool timestamps : 1 = false;
  bool ecn : 1 = false;
  bool acked : 1 = false;        ///< its ACK has come once already
  bool answered : 1 = false;     ///< `answered_at` counts
  bool unreachable : 1 = false;  ///< an ICMP error has been noted
  bool live : 1 = false;         ///< the queue's own mark

  /// 4 ms, so that 16 bits reach 262 s: longer than any timeout, at each of which an old mark is cleared.
  static constexpr duration answer_unit = 4 * millisecond;

  /// Was there a rate-limited answer less than `limit` ago? If not, this one is.
  constexpr bool limited(instant now, duration limit) noexcept {
    if (limit <= 0) return false;
    if (answered_within(now, limit)) return true;
    answered = true;
    answered_at = in_units(now);
    return false;
  }
  /// Clears the mark of an answer that no longer limits anything, before it can wrap round.
  constexpr void age_answer(instant now, duration limit) noexcept { answered = answered_within(now, limit); }

 private:
  /// `now` is not before 0: division without a sign is cheaper.
  static constexpr std::uint16_t in_units(instant now) noexcept {
    return static_cast<std::uint16_t>(static_cast<std::uint64_t>(now) / answer_unit);
  }
  constexpr bool answered_within(instant now, duration limit) const noexcept {
    const std::uint16_t at = in_units(now);
    return answered && static_cast<std::uint16_t>(at - answered_at) < limit / answer_unit;
  }
};

}  // namespace listenq
