// SPDX-License-Identifier: BSL-1.0
// Frames around other frames, each written to a capture that Wireshark opens: the very bytes, malformed ones too, where
// `traced` shows segments as they were understood. It is for looking, not for the fast path.
#pragma once

#include <cstddef>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/time.hpp>
#include <listenq/transport/frames.hpp>
#include <listenq/wire/pcapng.hpp>
#include <optional>
#include <type_traits>
#include <utility>

namespace listenq {

/// Models `frame_transport`. `captured(frames, out, clock)` refers to frames that are an lvalue and owns others.
/// `out(byte_view)` takes the capture as it grows; `clock()` yields microseconds since 1970. A frame that could not
/// leave (`failed`) is in it, with that as its comment; one that must wait (`later`) is not.
template <class F, class Out, class Clock>
requires frame_transport<std::remove_reference_t<F>>
class captured {
 public:
  captured(F&& frames, Out out, Clock clock)
      : frames_(std::forward<F>(frames)), writer_(std::move(out)), clock_(std::move(clock)) {
    writer_.begin();
  }

  std::optional<byte_view> receive() {
    const std::optional<byte_view> frame = frames_.receive();
    if (frame) writer_.packet(clock_(), *frame, wire::direction::in);
    return frame;
  }
  send_result send(byte_view frame) {
    const send_result r = frames_.send(frame);
    if (r == send_result::sent) writer_.packet(clock_(), frame, wire::direction::out);
    if (r == send_result::failed) writer_.packet(clock_(), frame, wire::direction::out, "not sent");
    return r;
  }
  bool writable() const { return frames_.writable(); }
  std::size_t mtu() const { return frames_.mtu(); }
  std::remove_reference_t<F>& inner() noexcept { return frames_; }

 private:
  F frames_;
  wire::pcapng_writer<Out> writer_;
  Clock clock_;
};

template <class F, class Out, class Clock>
captured(F&&, Out, Clock) -> captured<F, Out, Clock>;

}  // namespace listenq
