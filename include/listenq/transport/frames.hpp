// SPDX-License-Identifier: BSL-1.0
// What carries bytes: a source and sink of whole IP packets. `framed` makes a transport of segments out of one.
// It is not a link layer: no Ethernet header, no ARP, no neighbour discovery.
#pragma once

#include <concepts>
#include <cstddef>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <optional>

namespace listenq {

/// Carries frames, each one IP packet from its first byte on.
///
/// - `receive()` yields the next frame or nothing; its bytes are valid until the next `receive()`;
/// - `send(frame)` copies what it keeps; `failed` means that it will never leave, `later` that the caller keeps it;
/// - `writable()` and `receive()` as in `transport`; `mtu()` is the longest frame that `send` takes, bytes.
template <class F>
concept frame_transport = requires(F& f, const F& c, byte_view frame) {
  { f.receive() } -> std::same_as<std::optional<byte_view>>;
  { f.send(frame) } -> std::same_as<send_result>;
  { c.writable() } -> std::same_as<bool>;
  { c.mtu() } -> std::same_as<std::size_t>;
};

}  // namespace listenq
