// SPDX-License-Identifier: BSL-1.0
// Where segments go: the `sink` that a caller hands in, and what it may answer.
// A sink is not a queue of ours. What it does with a segment (send, buffer, refuse) is the caller's business.
#pragma once

#include <concepts>
#include <listenq/segment.hpp>

namespace listenq {

/// What became of a segment that was handed to a sink.
enum class send_result : unsigned char {
  sent,    ///< it is on its way (it may still get lost)
  failed,  ///< it will never leave: no route, no buffer; a fact for the `send_failure` slot
  later,   ///< not now: ask again, nothing is to be counted as done
};

/// Takes segments over a family of addresses, one at a time, in order. It must not call back into the sender.
template <class S, class A>
concept sink = addressing<A> && requires(S& s, const basic_segment<A>& segment) {
  { s.send(segment) } -> std::same_as<send_result>;
};

/// A sink made of a callable that takes a segment and returns nothing or a `send_result`.
template <class F>
struct callback_sink {
  F f;
  template <addressing A>
  constexpr send_result send(const basic_segment<A>& s) {
    if constexpr (std::same_as<decltype(f(s)), send_result>) {
      return f(s);
    } else {
      f(s);
      return send_result::sent;
    }
  }
};
template <class F>
callback_sink(F) -> callback_sink<F>;

/// Drops everything, as if the network did.
struct null_sink {
  template <addressing A>
  constexpr send_result send(const basic_segment<A>&) noexcept {
    return send_result::sent;
  }
};

}  // namespace listenq
