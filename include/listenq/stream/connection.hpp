// SPDX-License-Identifier: BSL-1.0
// A small honest connection: bytes both ways, ACKs, repetition by timer and by duplicate ACKs, congestion control, FIN
// and RST, from the end of the handshake to the end of TIME-WAIT. It is the reference child behind a listener and the
// peer in front of it.
// It is not a fast TCP: it reads and sends no SACK blocks, and has no delayed ACK, no Nagle, no urgent data, no
// keepalive; after a timeout it sends one lost segment an ACK. It allocates its buffers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/stream/acceptance.hpp>
#include <listenq/stream/congestion.hpp>
#include <listenq/stream/established.hpp>
#include <listenq/stream/profile.hpp>
#include <listenq/stream/receive_half.hpp>
#include <listenq/stream/repeat_timer.hpp>
#include <listenq/stream/send_half.hpp>
#include <listenq/time.hpp>
#include <optional>

namespace listenq {

/// One end of a connection. Every reply goes to the sink; one that the sink fails counts as lost on the way, one that
/// it postpones (`later`) is tried again at the next `tick`. All times are arguments and never go back.
template <addressing A>
class basic_connection {
 public:
  using addressing_type = A;
  using segment_type = basic_segment<A>;

  using is = connection_state;

  static constexpr std::size_t send_buffer = send_half::capacity;  ///< bytes not yet acknowledged that `send` will hold
  static constexpr duration time_wait_length = 60 * second;        ///< 2 MSL; also an abandoned FIN-WAIT-2 (Linux)

  basic_connection(const kernel_profile& profile, const basic_established<A>& start, opening how)
      : profile_(profile),
        start_(start),
        receive_(start.irs, start.first_window() << start.our_shift(), payload_size(start)),
        send_(start.iss + start.carried, start.irs, start.peer_window, payload_size(start)),
        congestion_(payload_size(start)),
        timer_(profile),
        last_ack_sent_(start.irs + 1),
        ts_{.in_use = start.timestamps(), .recent = start.theirs.ts_value},
        fast_(how == opening::fast) {
    if (start.rtt > 0) timer_.sample(start.rtt);
    if (how == opening::active) {
      state_ = is::established;
      was_established_ = true;
      send_.open();
    }
  }

  /// Takes bytes for the peer and sends what the peer's window allows. Returns how many were taken: fewer than given
  /// when the send buffer is full, 0 after `shutdown_send` or the end. Before ESTABLISHED they wait, unless this is the
  /// child of a fast open.
  template <class S>
  requires sink<S, A> std::size_t send(byte_view bytes, instant now, S& out) {
    clock(now);
    if (send_.fin_queued() || !may_send()) return 0;
    const std::size_t n = send_.put(bytes);
    push(out);
    return n;
  }

  /// Copies up to `room` received bytes to `to` and forgets them; returns how many. Still possible after FIN, RST and
  /// timeout. 0 with `end_of_stream()` means that no more will come. Sends a window update when reading at least
  /// doubles a window that was at most half open (as Linux does). O(bytes received).
  template <class S>
  requires sink<S, A> std::size_t read(std::byte* to, std::size_t room, instant now, S& out) {
    clock(now);
    const std::size_t n = receive_.read(to, room);
    if (n > 0 && may_receive() && receive_.worth_update()) ack(out);
    return n;
  }

  /// No more bytes from us: FIN after those already given. The peer may go on. A second call does nothing.
  template <class S>
  requires sink<S, A>
  void shutdown_send(instant now, S& out) {
    clock(now);
    if (send_.fin_queued() || !may_send()) return;
    send_.put_fin();
    push(out);
  }

  /// Nobody will read or write any more, as `close(2)`: RST when unread bytes would be lost (RFC 2525 2.17), FIN
  /// otherwise; bytes that arrive later get a RST (golden: "server close(), then client data13").
  template <class S>
  requires sink<S, A>
  void close(instant now, S& out) {
    if (receive_.available() > 0 && state_ != is::time_wait) return abort(now, out);
    orphan_ = true;
    shutdown_send(now, out);
    if (state_ == is::fin_wait_2) timer_.arm(repeat_reason::linger, now_, time_wait_length);
  }

  /// Ends at once with a RST (RFC 9293 3.10.5); silently where nobody waits for one (TIME-WAIT, closed).
  template <class S>
  requires sink<S, A>
  void abort(instant now, S& out) {
    clock(now);
    if (state_ != is::closed && state_ != is::time_wait) {
      auto s = outgoing(flag::rst | flag::ack, send_.next());
      s.window = 0;
      out.send(s);
    }
    finish(connection_error::none);
  }

  /// A segment from the peer (the caller has matched the four-tuple). After the end everything but a RST gets a RST.
  template <class S>
  requires sink<S, A> connection_events receive(const segment_type& in, instant now, S& out) {
    clock(now);
    events_ = connection_event::none;
    if (state_ == is::closed) {
      reject(in, out);
    } else if (fast_ && state_ == is::syn_received && in.flags.has(flag::syn) &&
               !in.flags.any(flag::ack | flag::rst | flag::fin) && in.seq == start_.irs) {
      take_syn(in, out);
    } else if (in.flags.any(flag::ack | flag::rst | flag::syn)) {  // else: dropped, as Linux does
      if (acceptable(in, out) && acknowledge(in, out)) {
        take(in, out);
        push(out);
        if (ack_due_) ack(out);
      }
    }
    return events_;
  }

  /// Fires the timer if it is due, once however late: repetition, probe, TIME-WAIT's end. Also retries what the sink
  /// had postponed.
  template <class S>
  requires sink<S, A> connection_events tick(instant now, S& out) {
    clock(now);
    events_ = connection_event::none;
    if (ack_due_) ack(out);
    if (push_due_) push(out);
    if (timer_.due(now_)) fire(out);
    return events_;
  }

  /// When `tick` has something to do; nothing when only a segment or the owner can change anything.
  std::optional<instant> next_deadline() const noexcept {
    if (ack_due_ || push_due_) return now_;
    if (timer_.reason() == repeat_reason::off) return std::nullopt;
    return timer_.deadline();
  }

  connection_state state() const noexcept { return state_; }
  connection_error error() const noexcept { return error_; }
  const basic_four_tuple<A>& tuple() const noexcept { return start_.tuple; }
  const basic_established<A>& start() const noexcept { return start_; }
  const kernel_profile& profile() const noexcept { return profile_; }
  /// Has the handshake been finished? True for ever after.
  bool was_established() const noexcept { return was_established_; }
  /// Bytes received in order and not yet read.
  std::size_t bytes_available() const noexcept { return receive_.available(); }
  /// Recv-Q as `ss` shows it: an unread FIN counts as one.
  std::size_t recv_queue() const noexcept { return receive_.queue(); }
  /// Send-Q as `ss` shows it: bytes and FIN that the peer has not acknowledged, sent or not; 0 after the end.
  std::size_t unacked() const noexcept { return state_ == is::closed ? 0 : send_.queue(); }
  /// Everything received has been read and no more will come.
  bool end_of_stream() const noexcept {
    return receive_.available() == 0 && (receive_.ended() || state_ == is::closed);
  }
  /// Repetitions of data and FIN so far, tail loss probes included.
  unsigned retransmissions() const noexcept { return retransmissions_; }
  /// The next number we would send, and the next one we expect.
  seq_number send_next() const noexcept { return send_.next(); }
  seq_number receive_next() const noexcept { return receive_.next(); }
  /// Bytes that may be in flight for all that congestion control knows (RFC 5681's cwnd).
  std::uint32_t congestion_window() const noexcept { return congestion_.window(); }
  /// The ISN with which Linux answers the SYN that ended this TIME-WAIT (golden: S + 65539 after one FIN): a fact for
  /// the listener's `arrival`. Never 0, which is the kernel's "none", too.
  seq_number reuse_isn() const noexcept {
    const seq_number isn = send_.next() + 65537U;
    return isn == 0 ? 1 : isn;
  }

 private:
  bool may_send() const noexcept {
    return state_ == is::syn_received || state_ == is::established || state_ == is::close_wait;
  }
  bool may_receive() const noexcept {
    return (fast_ && state_ == is::syn_received) || state_ == is::established || state_ == is::fin_wait_1 ||
           state_ == is::fin_wait_2;
  }
  void clock(instant now) noexcept { now_ = std::max(now_, now); }

  /// Bytes in a full segment: the smaller MSS (536 without one, RFC 9293 3.7.1), less the timestamp option.
  static std::uint32_t payload_size(const basic_established<A>& e) noexcept {
    const std::uint32_t theirs = e.theirs.mss == 0 ? 536U : e.theirs.mss;
    const std::uint32_t ours = e.ours.mss == 0 ? theirs : e.ours.mss;
    return std::max(std::min(theirs, ours), 48U) - (e.timestamps() ? 12U : 0U);
  }

  // -- what we send

  segment_type outgoing(flags f, seq_number seq) noexcept {
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

  template <class S>
  bool emit(const segment_type& s, S& out) {
    if (out.send(s) == send_result::later) return false;
    last_ack_sent_ = s.ack;
    ack_due_ = false;
    return true;
  }

  template <class S>
  void ack(S& out) {
    ack_due_ = true;
    emit(outgoing(flag::ack, send_.next()), out);
  }

  /// An ACK for an invalid segment: challenge or duplicate, at most one per `invalid_ack_gap`.
  template <class S>
  void limited_ack(S& out) {
    if (answered_invalid_ && now_ - invalid_at_ < profile_.invalid_ack_gap) return;
    answered_invalid_ = true;
    invalid_at_ = now_;
    ack(out);
  }

  template <class S>
  void reject(const segment_type& in, S& out) {
    if (!in.flags.has(flag::rst)) out.send(reset_for(in));
  }

  template <class S>
  bool transmit(const send_half::piece& p, S& out) {
    auto s = outgoing(flag::ack, send_.seq_of(p));
    s.payload = send_.bytes_of(p);
    if (p.size > 0 && p.last) s.flags = s.flags | flag::psh;
    if (p.fin) s.flags = s.flags | flag::fin;
    return emit(s, out);
  }

  /// Sends what is new and allowed.
  template <class S>
  void push(S& out) {
    push_due_ = false;
    const bool early = state_ == is::syn_received;
    if ((early && !fast_) || state_ == is::time_wait || state_ == is::closed) return;
    if (send_.in_flight() == 0 && now_ - sent_at_ > timer_.interval()) congestion_.idle();
    while (auto p = send_.fresh(congestion_.window())) {
      if (early && p->fin) {  // the FIN waits for the handshake's end
        p->fin = false;
        if (p->size == 0) return;
      }
      if (!transmit(*p, out)) {
        push_due_ = true;
        return;
      }
      timer_.departed(send_.next(), now_);
      sent_at_ = now_;
      const bool was_idle = send_.in_flight() == 0;
      send_.sent(*p);
      if (!early && (was_idle || timer_.reason() == repeat_reason::probe)) timer_.arm_flight(now_);
      if (p->fin) state_ = state_ == is::close_wait ? is::last_ack : is::fin_wait_1;
    }
    if (send_.in_flight() == 0 && send_.has_unsent() && timer_.reason() == repeat_reason::off) timer_.arm_window(now_);
  }

  /// Sends the first or the last segment in flight again.
  template <class S>
  bool repeat(bool tail, S& out) {
    timer_.repeated();
    if (!transmit(send_.again(tail), out)) return false;
    ++retransmissions_;
    return true;
  }

  /// The first segment in flight is lost.
  template <class S>
  void repair(S& out) {
    repeat(false, out);
    timer_.arm_repeat(now_);
  }

  template <class S>
  bool send_syn_ack(S& out) {
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

  // -- what we are sent

  /// The SYN of a fast open: its data the first time, which the listener's SYN-ACK acknowledges; the SYN-ACK again when
  /// it comes again.
  template <class S>
  void take_syn(const segment_type& in, S& out) {
    if (timer_.reason() == repeat_reason::syn_ack) {
      if (answered_invalid_ && now_ - invalid_at_ < profile_.invalid_ack_gap) return;
      answered_invalid_ = true;
      invalid_at_ = now_;
      send_syn_ack(out);
      return;
    }
    const auto p = receive_.fresh(in.seq + 1, in.payload.size, false);
    receive_.take(in.payload, p);
    if (p.size > 0) events_ |= connection_event::readable;
    last_ack_sent_ = receive_.next();
    timer_.arm(repeat_reason::syn_ack, now_, profile_.syn_timeout);
  }

  /// What comes before the ACK field. False: dealt with.
  template <class S>
  bool acceptable(const segment_type& in, S& out) {
    switch (judge(in, receive_, ts_, state_ == is::time_wait, profile_.challenge_acks, now_)) {
      case acceptance::passes:
        if (ts_.stamps(in.options) && !seq_after(in.seq, last_ack_sent_)) ts_.take(in.options, now_);  // RFC 7323 4.3
        return in.flags.has(flag::ack);
      case acceptance::dropped:
        return false;
      case acceptance::challenged:
        limited_ack(out);
        return false;
      case acceptance::acknowledged:
        ack(out);
        return false;
      case acceptance::ends:  // in TIME-WAIT all that was asked for has been done (Linux: tcp_rfc1337 0)
        finish(state_ == is::time_wait ? connection_error::none : connection_error::reset);
        return false;
      case acceptance::kills:
        reject(in, out);
        finish(connection_error::reset);
        return false;
      case acceptance::reuses:
        finish(connection_error::none);
        events_ |= connection_event::reused;
        return false;
    }
    return false;
  }

  /// The ACK field. False: the segment must go no further.
  template <class S>
  bool acknowledge(const segment_type& in, S& out) {
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
      if (send_.in_flight() > 0) timer_.arm_flight(now_);
      events_ |= connection_event::established;
    }
    const seq_number una = send_.unacknowledged();
    const bool unsent = seq_after(in.ack, send_.next());
    if (unsent || (profile_.challenge_acks && seq_before(in.ack, una - send_.max_window()))) {  // RFC 5961 5.2
      limited_ack(out);
      return false;
    }
    if (seq_before(in.ack, una)) return true;
    const bool duplicate = in.ack == una && send_.in_flight() > 0 && in.payload.empty() &&
                           !in.flags.any(flag::syn | flag::fin) && window == send_.window();  // RFC 5681 2
    send_.offered(in.seq, window);
    if (timer_.reason() == repeat_reason::window) timer_.answered();
    if (in.ack != una) {
      advance(in.ack, out);
    } else if (duplicate && congestion_.duplicate(una, send_.next())) {
      repair(out);
    }
    return state_ != is::closed;
  }

  /// The peer has everything before `ack`.
  template <class S>
  void advance(seq_number ack, S& out) {
    const std::uint32_t acked = ack - send_.unacknowledged();
    timer_.acknowledged(ack, now_);
    timer_.answered();
    send_.acknowledged(ack);
    events_ |= connection_event::acked;
    const bool lost = congestion_.advanced(ack, acked, send_.in_flight());
    if (send_.in_flight() == 0) {
      timer_.stop();
    } else if (lost) {
      repair(out);
    } else {
      timer_.arm_flight(now_);
    }
    if (!send_.fin_acked()) return;
    if (state_ == is::fin_wait_1) {
      state_ = is::fin_wait_2;
      if (orphan_) timer_.arm(repeat_reason::linger, now_, time_wait_length);
    } else if (state_ == is::closing) {
      enter_time_wait();
    } else if (state_ == is::last_ack) {
      finish(connection_error::none);
    }
  }

  /// Payload and FIN. Whatever occupies numbers is answered at once.
  template <class S>
  void take(const segment_type& in, S& out) {
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
    if (!orphan_) receive_.hold(first, in.payload, fin);
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

  // -- time

  template <class S>
  void fire(S& out) {
    const repeat_reason why = timer_.reason();
    if (why == repeat_reason::linger) return finish(connection_error::none);
    if (why == repeat_reason::probe) {
      if (!repeat(true, out)) return;
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

  void enter_time_wait() noexcept {
    state_ = is::time_wait;
    timer_.arm(repeat_reason::linger, now_, time_wait_length);
  }

  void finish(connection_error e) noexcept {
    if (state_ == is::closed) return;
    state_ = is::closed;
    error_ = e;
    timer_.stop();
    ack_due_ = push_due_ = false;
    send_.clear();
    events_ |= connection_event::closed;
  }

  kernel_profile profile_;
  basic_established<A> start_;
  connection_state state_ = is::syn_received;
  connection_error error_ = connection_error::none;
  connection_events events_{};
  receive_half receive_;
  send_half send_;
  congestion congestion_;
  repeat_timer timer_;
  seq_number last_ack_sent_;
  peer_timestamps ts_;
  instant sent_at_ = 0;  // the last new segment
  instant now_ = 0;
  instant invalid_at_ = 0;
  unsigned retransmissions_ = 0;
  unsigned syn_acks_ = 0;  // of a fast-open child, sent again
  bool fast_;
  bool was_established_ = false;
  bool answered_invalid_ = false;
  bool ack_due_ = false;
  bool push_due_ = false;
  bool orphan_ = false;
};

using connection = basic_connection<ipv4>;

}  // namespace listenq
