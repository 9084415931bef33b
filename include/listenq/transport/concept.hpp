// SPDX-License-Identifier: BSL-1.0
// What a transport is: something that carries segments between us and peers.
// It is not a connection and not an event loop; it never blocks, never reads a clock, never calls the listener.
#pragma once

#include <concepts>
#include <cstddef>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <optional>

namespace listenq {

/// What fits through a transport.
struct transport_limits {
  std::size_t max_payload = 1460;  ///< bytes of TCP payload in one segment, options not counted
};

/// Carries segments of one family of addresses (`addressing_type`).
///
/// - `writable()` is asked before `receive()`: a reply must fit before a question is read;
/// - `receive()` yields the next segment or nothing; its payload is valid until the next `receive()`;
/// - `send(s)` takes one segment over. `sent` promises nothing about arrival.
/// - Segments may be lost, repeated and reordered on the way, never altered.
///
/// One that hears of ICMP errors may have `on_error(f)`, as `framed_transport`: a `host` asks for it.
template <class T>
concept transport = addressing<typename T::addressing_type> && sink<T, typename T::addressing_type> &&
    requires(T& t, const T& c) {
  { t.receive() } -> std::same_as<std::optional<basic_segment<typename T::addressing_type>>>;
  { c.writable() } -> std::same_as<bool>;
  { c.limits() } -> std::same_as<transport_limits>;
};

}  // namespace listenq
