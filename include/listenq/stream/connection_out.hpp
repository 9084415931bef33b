// SPDX-License-Identifier: BSL-1.0
// How a connection sends: new segments, repetitions, ACKs, and what its timer makes it send. Member functions of
// `basic_connection`, which connection.hpp declares; include that one.
#pragma once

#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/stream/connection.hpp>

namespace listenq {

template <addressing A>
basic_segment<A> basic_connection<A>::outgoing(flags f, seq_number seq) noexcept {
  auto s = segment_to_peer(start_.tuple);
  s.flags = f;
  s.seq = seq;
  s.ack = receive_.next();
  s.window = receive_.offer(start_.our_shift());
  if (start_.timestamps()) {
    s.options.timestamps = true;
    s.options.ts_value = timestamp_at(now_, start_.ts_offset);
    s.options.ts_echo = ts_.recent;
  }
  return s;
}

template <addressing A>
template <class S>
bool basic_connection<A>::emit(const basic_segment<A>& s, S& out) {
  if (out.send(s) == send_result::later) return false;
  last_ack_sent_ = s.ack;
  ack_due_ = false;
  return true;
}

template <addressing A>
template <class S>
void basic_connection<A>::ack(S& out) {
  ack_due_ = true;
  emit(outgoing(flag::ack, send_.next()), out);
}

template <addressing A>
bool basic_connection<A>::may_answer_invalid() noexcept {
  if (invalid_at_ && now_ - *invalid_at_ < profile_.invalid_ack_gap) return false;
  invalid_at_ = now_;
  return true;
}

template <addressing A>
template <class S>
void basic_connection<A>::reject(const basic_segment<A>& in, S& out) {
  if (!in.flags.has(flag::rst)) out.send(reset_for(in));
}

template <addressing A>
template <class S>
bool basic_connection<A>::transmit(const send_half::piece& p, S& out) {
  auto s = outgoing(flag::ack, send_.seq_of(p));
  s.payload = send_.bytes_of(p);
  if (p.size > 0 && p.last) s.flags = s.flags | flag::psh;
  if (p.fin) s.flags = s.flags | flag::fin;
  return emit(s, out);
}

template <addressing A>
template <class S>
void basic_connection<A>::push(S& out) {
  push_due_ = false;
  const bool early = state_ == is::syn_received;
  if ((early && !fast_) || state_ == is::closed) return;
  if (send_.in_flight() == 0 && now_ - sent_at_ > timer_.interval()) congestion_.idle();
  while (auto p = send_.fresh(congestion_.window())) {
    if (early) {  // the FIN waits for the handshake's end
      p->fin = false;
      if (p->size == 0) return;
    }
    if (!transmit(*p, out)) {
      push_due_ = true;
      return;
    }
    timer_.departed(send_.next(), now_);
    sent_at_ = now_;
    const bool was_idle = send_.in_flight() == 0;  // never before the final ACK: our SYN is in flight
    send_.sent(*p);
    if (was_idle || timer_.reason() == repeat_reason::probe) timer_.arm_flight(now_, send_.alone());
    if (p->fin) state_ = state_ == is::close_wait ? is::last_ack : is::fin_wait_1;
  }
  if (send_.has_unsent() && timer_.reason() == repeat_reason::off) timer_.arm_window(now_);
}

template <addressing A>
template <class S>
bool basic_connection<A>::repeat(bool tail, S& out) {
  timer_.repeated();
  if (!transmit(send_.again(tail), out)) return false;
  ++retransmissions_;
  return true;
}

template <addressing A>
template <class S>
void basic_connection<A>::repair(S& out) {
  repeat(false, out);
  timer_.arm_repeat(now_);
}

template <addressing A>
template <class S>
bool basic_connection<A>::send_syn_ack(S& out) {
  auto s = outgoing(flag::syn | flag::ack, start_.iss);
  const bool stamped = s.options.timestamps;
  const std::uint32_t value = s.options.ts_value, echo = s.options.ts_echo;
  s.options = start_.ours;
  s.options.fast_open = {};
  s.options.timestamps = stamped;
  s.options.ts_value = value;
  s.options.ts_echo = echo;
  s.window = start_.our_window;
  return emit(s, out);
}
template <addressing A>
template <class S>
void basic_connection<A>::fire(S& out) {
  const repeat_reason why = timer_.reason();
  if (why == repeat_reason::linger) return finish(connection_error::none);
  if (why == repeat_reason::probe) {
    if (!repeat(true, out)) return;
    probed_ = !send_.alone();
    return timer_.arm_repeat(now_);
  }
  if (why == repeat_reason::syn_ack) {
    if (syn_acks_ > profile_.syn_ack_retries) return finish(connection_error::timed_out);
    if (!send_syn_ack(out)) return;
    ++syn_acks_;
    timer_.repeated();
    return timer_.arm(why, now_, profile_.doubled(profile_.syn_timeout, syn_acks_));
  }
  if (timer_.exhausted()) return finish(connection_error::timed_out);
  if (why == repeat_reason::window) {  // Linux's zero window probe: an old number, no bytes
    if (!emit(outgoing(flag::ack, send_.unacknowledged() - 1), out)) return;
  } else {
    if (!repeat(false, out)) return;
    congestion_.timed_out(send_.unacknowledged(), send_.next(), timer_.backed_off());
  }
  timer_.timed_out();
  timer_.arm(why, now_, timer_.interval());
}
}  // namespace listenq
