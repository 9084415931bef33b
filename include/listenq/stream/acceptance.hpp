// SPDX-License-Identifier: BSL-1.0
// What RFC 9293 3.10.7.4 asks of a segment before its ACK field is looked at, with RFC 5961 and RFC 7323: facts in, a
// verdict out. It changes nothing and sends nothing; `connection` does what the verdict says.
#pragma once

#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/stream/receive_half.hpp>
#include <listenq/time.hpp>

namespace listenq {

/// The peer's timestamps, as far as they matter to the next segment.
struct peer_timestamps {
  bool in_use = false;
  std::uint32_t recent = 0;  ///< the value to echo
  instant taken_at = 0;

  static constexpr duration outdated = duration{24} * 86400 * second;  ///< RFC 7323 5.5

  constexpr bool stamps(const tcp_options& o) const noexcept { return in_use && o.timestamps; }
  constexpr bool older(const tcp_options& o) const noexcept { return stamps(o) && timestamp_older(o.ts_value, recent); }
  /// PAWS (RFC 7323 5.3).
  constexpr bool refuses(const tcp_options& o, instant now) const noexcept {
    return older(o) && now - taken_at < outdated;
  }
  constexpr void take(const tcp_options& o, instant now) noexcept {
    recent = o.ts_value;
    taken_at = now;
  }
};

/// What becomes of a segment before its ACK field.
enum class acceptance : unsigned char {
  passes,
  dropped,
  challenged,    ///< an ACK, but not too often (RFC 5961 5, tcp_invalid_ratelimit)
  acknowledged,  ///< an ACK, always: it has bytes, and its sender waits for one
  ends,          ///< the peer's RST
  kills,         ///< a SYN in the window: RST, and the end (RFC 793 p. 71)
  reuses,        ///< a SYN that ends TIME-WAIT
};

/// `challenges`: RFC 5961 rather than RFC 793.
template <addressing A>
acceptance judge(const basic_segment<A>& in, const receive_half& received, const peer_timestamps& ts, bool time_wait,
                 bool challenges, instant now) noexcept {
  const bool syn = in.flags.has(flag::syn);
  if (time_wait && syn && !in.flags.any(flag::rst | flag::ack) && !ts.older(in.options)) {
    // Linux tcp_timewait_state_process: a SYN beyond what we have, or with a later timestamp, is a new connection.
    const bool later = ts.stamps(in.options) && in.options.ts_value != ts.recent;
    if (seq_after(in.seq, received.next()) || later) return acceptance::reuses;
  }
  const bool inside = received.inside(in.seq, in.end());
  if (in.flags.has(flag::rst)) {  // no timestamp protects from it
    if (!inside) return acceptance::dropped;
    return in.seq == received.next() || !challenges ? acceptance::ends : acceptance::challenged;
  }
  if (syn && challenges) return acceptance::challenged;
  if (!inside || ts.refuses(in.options, now)) {
    // Bytes are always answered: only bare segments can make two endpoints answer each other for ever.
    return in.payload.empty() ? acceptance::challenged : acceptance::acknowledged;
  }
  if (syn && !seq_before(in.seq, received.next())) return acceptance::kills;
  return acceptance::passes;
}

}  // namespace listenq
