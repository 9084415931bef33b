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
    if (start.rtt != 0) timer_.sample(start.rtt);
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
    if (may_receive() && receive_.worth_update()) ack(out);
    return n;
  }

  /// No more bytes from us: FIN after those already given. The peer may go on. A second call does nothing.
  template <class S>
  requires sink<S, A>
  void shutdown_send(instant now, S& out) {
    clock(now);
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

  /// An ICMP error says that a segment of ours that began at `seq` has not arrived. What has been established lives on
  /// (RFC 1122 4.2.3.9); the child of a fast open whose handshake is unfinished ends, if the number is one of its own.
  /// Not to be told of one that has been accepted: in Linux that lives on, too (tcp_v4_err).
  connection_events unreachable(seq_number seq, instant now) {
    clock(now);
    events_ = connection_event::none;
    const bool ours = !seq_before(seq, start_.iss) && !seq_after(seq, send_.next());
    if (fast_ && state_ == is::syn_received && ours) finish(connection_error::unreachable);
    return events_;
  }

  /// Fires the timer if it is due, once however late: repetition, probe, TIME-WAIT's end. Also retries what the sink
  /// had postponed.
  template <class S>
  requires sink<S, A> connection_events tick(instant now, S& out) {
    clock(now);
    events_ = connection_event::none;
    if (ack_due_) ack(out);
    push(out);
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
    return state_ == is::syn_received || state_ == is::established || state_ == is::fin_wait_1 ||
           state_ == is::fin_wait_2;
  }
  void clock(instant now) noexcept { now_ = std::max(now_, now); }

  /// Bytes in a full segment: the smaller MSS (536 without one, RFC 9293 3.7.1), less the timestamp option.
  static std::uint32_t payload_size(const basic_established<A>& e) noexcept {
    const std::uint32_t theirs = e.theirs.mss == 0 ? 536U : e.theirs.mss;
    const std::uint32_t ours = e.ours.mss == 0 ? theirs : e.ours.mss;
    return std::max(std::min(theirs, ours), 48U) - (e.timestamps() ? 12U : 0U);
  }

  // -- what we send: connection_out.hpp

  segment_type outgoing(flags f, seq_number seq) noexcept;
  template <class S>
  bool emit(const segment_type& s, S& out);
  template <class S>
  void ack(S& out);
  /// May an invalid segment, or a repeated SYN, be answered? At most one per `invalid_ack_gap`; this one counts.
  bool may_answer_invalid() noexcept;
  template <class S>
  void reject(const segment_type& in, S& out);
  template <class S>
  bool transmit(const send_half::piece& p, S& out);
  /// Sends what is new and allowed.
  template <class S>
  void push(S& out);
  /// Sends the first or the last segment in flight again.
  template <class S>
  bool repeat(bool tail, S& out);
  /// The first segment in flight is lost.
  template <class S>
  void repair(S& out);
  template <class S>
  bool send_syn_ack(S& out);

  // -- what we are sent: connection_in.hpp

  /// The SYN of a fast open: its data the first time, which the listener's SYN-ACK acknowledges; the SYN-ACK again when
  /// it comes again.
  template <class S>
  void take_syn(const segment_type& in, S& out);
  /// What comes before the ACK field. False: dealt with.
  template <class S>
  bool acceptable(const segment_type& in, S& out);
  /// The ACK field. False: the segment must go no further.
  template <class S>
  bool acknowledge(const segment_type& in, S& out);
  /// The peer has everything before `ack`.
  template <class S>
  void advance(seq_number ack, S& out);
  /// Payload and FIN. Whatever occupies numbers is answered at once.
  template <class S>
  void take(const segment_type& in, S& out);

  // -- time

  template <class S>
  void fire(S& out);

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
  instant sent_at_{};  // the last new segment
  instant now_ = 0;
  std::optional<instant> invalid_at_;  // the last answer to an invalid segment
  unsigned retransmissions_ = 0;
  unsigned syn_acks_ = 0;  // of a fast-open child, sent again
  bool fast_;
  bool was_established_ = false;
  bool ack_due_ = false;
  bool push_due_ = false;
  bool probed_ = false;  // the last segment in flight has been sent twice, and nothing new was acknowledged since
  bool orphan_ = false;
};

using connection = basic_connection<ipv4>;

}  // namespace listenq

#include <listenq/stream/connection_in.hpp>
#include <listenq/stream/connection_out.hpp>
