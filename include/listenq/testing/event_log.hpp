// SPDX-License-Identifier: BSL-1.0
// An event log: all that went into a listener, in order, and all that came out of it. Segments, the clock, listen,
// accept, close and tunables are what went in, and so are the answers that a stack gave (was it sent? is there a
// child?). recording.hpp makes one, replay.hpp plays it bit for bit, rerun.hpp plays it to another listener,
// capture_log.hpp makes one of a capture, and event_log_text.hpp has the file format. IPv4 alone, as the simulation.
//
// The observer of the same name (policy/observer.hpp) keeps decisions alone: from them nothing can be played again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/handshake.hpp>
#include <listenq/outcome.hpp>
#include <listenq/segment.hpp>
#include <listenq/time.hpp>

namespace listenq::testing {

/// What an entry is. `out`, `child` and `reset` came out while the entry before them was worked on; a capture has `out`
/// wherever it was seen.
enum class log_kind : std::uint8_t {
  listen,    ///< `what` is the backlog
  in,        ///< a segment for the listener, and the `facts`
  out,       ///< a segment of the listener's
  child,     ///< it asked for a child of `key`
  reset,     ///< close() handed the child of `key` back
  tick,      ///< time went by
  accept,    ///< of `key`, if there was one
  close,     ///< close()
  shutdown,  ///< `what` is the `shutdown_how`
  set,       ///< `what` is the tunable, `value` the value
  gone,      ///< child_gone(key)
  settled,   ///< child_settled(key); `what` is the `fast_open_end`
  icmp,      ///< unreachable(key); `value` is the number, `what` the `icmp_error`
};
inline constexpr std::size_t log_kind_count = 13;

constexpr const char* name_of(log_kind k) noexcept {
  constexpr std::array<const char*, log_kind_count> names{
      "listen", "in", "out", "child", "reset", "tick", "accept", "close", "shutdown", "set", "gone", "settled", "icmp"};
  return names[static_cast<std::size_t>(k)];
}

/// Equal in all that a log keeps: of a payload that is its size.
constexpr bool same_segment(const segment& a, const segment& b) noexcept {
  return a.source == b.source && a.destination == b.destination && a.seq == b.seq && a.ack == b.ack &&
         a.flags == b.flags && a.window == b.window && a.options == b.options && a.payload.size == b.payload.size;
}

/// One entry. What its kind has no use for is as it was made.
struct log_entry {
  log_kind kind = log_kind::listen;
  /// Is what follows `stages` known? Not of a segment in a capture.
  bool decided = false;
  /// The value of the `verdict` (in), `send_result` (out), `accept_status`, `listen_status`, `shutdown_status`,
  /// `set_status`, `icmp_verdict`; 1 for yes (child, gone, settled) and for `tick_summary::later`.
  std::uint8_t result = 0;
  instant at = 0;
  listenq::segment segment{};  ///< its payload has a size and no bytes: the listener looks at none
  arrival facts{};
  four_tuple key{};
  std::uint32_t what = 0;
  std::uint32_t value = 0;
  listenq::stages stages{};               ///< in
  std::array<std::uint32_t, 3> counts{};  ///< tick: timers, resent, forgotten; close and shutdown: children, requests

  constexpr listenq::verdict verdict() const noexcept { return static_cast<listenq::verdict>(result); }
  /// Does it follow from the entry before it?
  constexpr bool is_output() const noexcept {
    return kind == log_kind::out || kind == log_kind::child || kind == log_kind::reset;
  }
  friend constexpr bool operator==(const log_entry& a, const log_entry& b) noexcept {
    return a.kind == b.kind && a.decided == b.decided && a.result == b.result && a.at == b.at &&
           same_segment(a.segment, b.segment) && a.facts.isn == b.facts.isn && a.facts.proven == b.facts.proven &&
           a.facts.refused == b.facts.refused && a.key == b.key && a.what == b.what && a.value == b.value &&
           a.stages == b.stages && a.counts == b.counts;
  }
};

/// The four-tuple of a handle, for listeners whose handle is that or the record of the handshake.
constexpr const four_tuple& log_key(const four_tuple& handle) noexcept { return handle; }
constexpr const four_tuple& log_key(const handshake& handle) noexcept { return handle.key; }

}  // namespace listenq::testing
