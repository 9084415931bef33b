// SPDX-License-Identifier: BSL-1.0
// A transport around another that tells a recorder (recorders.hpp) of every segment that passes. It is for traces that
// people read, not for the fast path.
#pragma once

#include <listenq/address.hpp>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/time.hpp>
#include <listenq/transport/concept.hpp>
#include <listenq/transport/recorders.hpp>
#include <optional>
#include <type_traits>
#include <utility>

namespace listenq {

/// Models `transport`. `traced(inner, recorder, clock)` refers to what is an lvalue and owns what is not; `clock()`
/// yields the `instant`, since transports read none. A segment that the inner transport answers with `failed` is
/// recorded as lost, one answered with `later` not at all. A recorder that takes a fourth argument gets the direction.
template <class T, class Recorder, class Clock>
requires transport<std::remove_reference_t<T>> && recorder < std::remove_reference_t<Recorder>,
typename std::remove_reference_t<T>::addressing_type > class traced {
 public:
  using addressing_type = typename std::remove_reference_t<T>::addressing_type;
  using segment_type = basic_segment<addressing_type>;

  traced(T&& inner, Recorder&& to, Clock clock)
      : inner_(std::forward<T>(inner)), recorder_(std::forward<Recorder>(to)), clock_(std::move(clock)) {}

  std::optional<segment_type> receive() {
    std::optional<segment_type> s = inner_.receive();
    if (s) tell(*s, false, wire::direction::in);
    return s;
  }
  send_result send(const segment_type& s) {
    const send_result result = inner_.send(s);
    if (result != send_result::later) tell(s, result == send_result::failed, wire::direction::out);
    return result;
  }
  bool writable() const { return inner_.writable(); }
  transport_limits limits() const { return inner_.limits(); }
  /// ICMP errors pass as they come, where the inner transport hears of any.
  template <class F>
  void on_error(F&& f) requires requires(T& t) {
    t.on_error(std::forward<F>(f));
  }
  { inner_.on_error(std::forward<F>(f)); }
  std::remove_reference_t<T>& inner() noexcept { return inner_; }

 private:
  void tell(const segment_type& s, bool lost, wire::direction way) {
    if constexpr (requires { recorder_.record(instant{}, s, lost, way); }) {
      recorder_.record(clock_(), s, lost, way);
    } else {
      recorder_.record(clock_(), s, lost);
    }
  }

  T inner_;
  Recorder recorder_;
  Clock clock_;
};

template <class T, class Recorder, class Clock>
traced(T&&, Recorder&&, Clock) -> traced<T, Recorder, Clock>;

}  // namespace listenq
