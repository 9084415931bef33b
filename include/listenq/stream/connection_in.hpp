// SPDX-License-Identifier: BSL-1.0
// What a connection does with a segment: the checks, the ACK field, the bytes. Member functions of `basic_connection`,
// which connection.hpp declares; include that one.
#pragma once

#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/stream/connection.hpp>

namespace listenq {

template <addressing A>
template <class S>
void basic_connection<A>::take_syn(const basic_segment<A>& in, S& out) {
  if (timer_.reason() == repeat_reason::syn_ack) {
    if (may_answer_invalid()) send_syn_ack(out);
    return;
  }
  const auto p = receive_.fresh(in.seq + 1, in.payload.size, false);
  receive_.take(in.payload, p);
  if (p.size > 0) events_ |= connection_event::readable;
  last_ack_sent_ = receive_.next();
  timer_.arm(repeat_reason::syn_ack, now_, profile_.syn_timeout);
}

template <addressing A>
template <class S>
bool basic_connection<A>::acceptable(const basic_segment<A>& in, S& out) {
  switch (judge(in, receive_, ts_, state_ == is::time_wait, profile_.challenge_acks, now_)) {
    case acceptance::passes:
      return in.flags.has(flag::ack);
    case acceptance::dropped:
      break;
    case acceptance::challenged:
      if (may_answer_invalid()) ack(out);
      break;
    case acceptance::acknowledged:
      ack(out);
      break;
    case acceptance::ends:  // a RST, which reject() does not answer
    case acceptance::kills:
      reject(in, out);  // in TIME-WAIT all that was asked for has been done (Linux: tcp_rfc1337 0)
      finish(state_ == is::time_wait ? connection_error::none : connection_error::reset);
      break;
    case acceptance::reuses:
      finish(connection_error::none);
      events_ |= connection_event::reused;
      break;
  }
  return false;
}

template <addressing A>
template <class S>
bool basic_connection<A>::acknowledge(const basic_segment<A>& in, S& out) {
  const std::uint32_t window = std::uint32_t{in.window} << start_.peer_shift();
  if (state_ == is::syn_received) {
    const bool right = seq_after(in.ack, start_.iss) && !seq_after(in.ack, send_.next());
    if (!right) {
      reject(in, out);
      return false;
    }
    state_ = is::established;
    was_established_ = true;
    send_.open();
    timer_.stop();
    if (send_.in_flight() > 0) timer_.arm_flight(now_, send_.alone());
    events_ |= connection_event::established;
  }
  const seq_number una = send_.unacknowledged();
  const bool unsent = seq_after(in.ack, send_.next());
  if (unsent || (profile_.challenge_acks && seq_before(in.ack, una - send_.max_window()))) {  // RFC 5961 5.2
    if (may_answer_invalid()) ack(out);
    return false;
  }
  if (seq_before(in.ack, una)) return true;
  // RFC 7323 4.3, but not before the ACK field has been found good: else whoever guesses a number in the window could
  // set the clock forward, and PAWS would refuse the peer from then on (Linux, tcp_ack).
  if (ts_.stamps(in.options) && !seq_after(in.seq, last_ack_sent_)) ts_.take(in.options, now_);
  // RFC 5681 2, but for the window: Linux's grows with what it holds out of order.
  const bool duplicate =
      send_.in_flight() > 0 && in.payload.empty() && !in.flags.any(flag::syn | flag::fin) && window >= send_.window();
  send_.offered(in.seq, in.ack, window);
  if (timer_.reason() == repeat_reason::window) timer_.answered();
  if (in.ack != una) {
    advance(in.ack, out);
  } else if (duplicate && congestion_.duplicate(una, send_.next(), probed_)) {
    repair(out);
  }
  return state_ != is::closed;
}

template <addressing A>
template <class S>
void basic_connection<A>::advance(seq_number ack, S& out) {
  const std::uint32_t acked = ack - send_.unacknowledged();
  timer_.acknowledged(ack, now_);
  timer_.answered();
  send_.acknowledged(ack);
  probed_ = false;
  events_ |= connection_event::acked;
  const bool lost = congestion_.advanced(ack, acked, send_.in_flight());
  if (send_.in_flight() == 0) {
    timer_.stop();
  } else if (lost) {
    repair(out);
  } else {
    timer_.arm_flight(now_, send_.alone());
  }
  if (!send_.fin_acked()) return;
  if (state_ == is::fin_wait_1) {
    state_ = is::fin_wait_2;
    if (orphan_) timer_.arm(repeat_reason::linger, now_, time_wait_length);
  } else if (state_ == is::closing) {
    enter_time_wait();
  } else {  // LAST-ACK
    finish(connection_error::none);
  }
}

template <addressing A>
template <class S>
void basic_connection<A>::take(const basic_segment<A>& in, S& out) {
  const bool fin = in.flags.has(flag::fin);
  const bool syn = in.flags.has(flag::syn);
  if (in.payload.empty() && !fin && !syn) return;
  ack_due_ = true;
  if (!may_receive()) {
    if (fin && state_ == is::time_wait) return enter_time_wait();
    // Bytes behind a FIN, in a segment that begins before it: RST (RFC 1122 4.2.2.13; golden: "FIN+ACK", its probe).
    if (state_ != is::time_wait && seq_before(in.seq, receive_.next()) &&
        seq_after(in.seq + static_cast<seq_number>(in.payload.size), receive_.next())) {
      reject(in, out);
      finish(connection_error::reset);
    }
    return;
  }
  const seq_number first = in.seq + (syn ? 1U : 0U);
  const auto p = receive_.fresh(first, in.payload.size, fin);
  if (p.size > 0 && orphan_) {
    reject(in, out);
    return finish(connection_error::none);
  }
  receive_.hold(first, in.payload, fin);
  receive_.take(in.payload, p);
  if (p.size > 0) events_ |= connection_event::readable;
  if (!receive_.ended()) return;
  events_ |= connection_event::peer_closed;
  if (state_ == is::established) {
    state_ = is::close_wait;
  } else if (state_ == is::fin_wait_1) {
    state_ = is::closing;
  } else {
    enter_time_wait();
  }
}
}  // namespace listenq
