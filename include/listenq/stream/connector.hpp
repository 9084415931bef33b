// SPDX-License-Identifier: BSL-1.0
// Active open: SYN, its repetitions, and the answer to what comes back, until there is a connection or an error.
// Sans-I/O like the listener: segments and time in, segments out through a sink. It carries no data but those of a
// fast-open SYN (RFC 7413); once connected, hand its `established()` to a `connection`. A simultaneous open (SYN
// without ACK) is not supported: ignored.
#pragma once

#include <algorithm>
#include <cstdint>
#include <listenq/address.hpp>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/stream/established.hpp>
#include <listenq/stream/fast_open_store.hpp>
#include <listenq/stream/profile.hpp>
#include <listenq/time.hpp>
#include <optional>

namespace listenq {

/// What `receive` or `tick` of a connector brought about.
enum class connector_event : unsigned char {
  none,
  connected,  ///< the ACK is sent, `established()` is valid
  refused,    ///< RST with a good ACK in SYN-SENT: ECONNREFUSED
  timed_out,  ///< the last SYN went unanswered: ETIMEDOUT
};

/// One attempt to connect. O(1) in everything, no allocation, constexpr. `tuple.local` is us.
template <addressing A>
class basic_connector {
 public:
  using addressing_type = A;
  using segment_type = basic_segment<A>;

  /// `iss` must not be predictable where that matters (RFC 6528); `ts_offset` is added to every TSval.
  constexpr basic_connector(const kernel_profile& profile, const basic_four_tuple<A>& tuple, seq_number iss,
                            std::uint32_t ts_offset = 0) noexcept
      : profile_(profile) {
    result_.tuple = tuple;
    result_.iss = iss;
    result_.ours = profile.offer;
    result_.our_window = profile.window;
    result_.ts_offset = ts_offset;
  }

  /// Sends the first SYN. A second call does nothing. A SYN that the sink fails counts as lost; one that it postpones
  /// (`later`) leaves the deadline due.
  template <class S>
  requires sink<S, A>
  constexpr void start(instant now, S& out) {
    if (state_ != connection_state::closed || syns_ > 0) return;
    state_ = connection_state::syn_sent;
    deadline_ = now_ = now;
    resend(out);
  }

  /// The same with fast open: the SYN shows what `known` has of this server, and, if that is a cookie, carries the
  /// beginning of `data`. Returns how many bytes it carries. It is sent once: a repetition is an ordinary SYN, as Linux
  /// does it, and so is a first one that the sink postpones. When connected, `data_acked()` says how many arrived; the
  /// rest is the caller's to send on the connection. Give `learn` the store then.
  template <class S, fast_open_store<A> Store>
  requires sink<S, A>
  constexpr std::size_t start(instant now, S& out, Store& known, byte_view data) {
    if (state_ != connection_state::closed || syns_ > 0) return 0;
    const fast_open_memory m = known.find(result_.tuple.peer_address);
    state_ = connection_state::syn_sent;
    deadline_ = now_ = now;
    asked_ = m.cookie.present();
    auto syn = next_syn();
    syn.options.fast_open = m.cookie;
    if (m.cookie.has_cookie()) {
      // Linux keeps room for all the options there can be (tcp_send_syn_data).
      const std::size_t room = m.mss - std::min<std::size_t>(m.mss, 40);
      syn.payload = {data.data, std::min(data.size, room)};
    }
    if (!sent(out.send(syn))) return 0;
    return data_in_syn_ = syn.payload.size;
  }

  /// Tells the store what the attempt taught: the cookie that came, or that data in a SYN do not get through. Call it
  /// once, after `connected`.
  template <fast_open_store<A> Store>
  constexpr void learn(Store& store) const {
    if (state_ != connection_state::established || !asked_) return;
    if (result_.theirs.fast_open.has_cookie()) {
      const std::uint16_t mss = result_.theirs.mss == 0 ? std::uint16_t{536} : result_.theirs.mss;
      store.remember(result_.tuple.peer_address, {result_.theirs.fast_open, mss});
    } else if (data_in_syn_ > 0 && syns_ > 1 && result_.carried == 0) {
      store.distrust(result_.tuple.peer_address);
    }
  }

  /// A segment from the peer (the caller has matched the four-tuple). RFC 9293 3.10.7.3: a wrong ack gets a RST and the
  /// attempt goes on; payload that comes with the SYN-ACK is left for the peer to repeat; after the end of the attempt
  /// everything is ignored (`none`).
  template <class S>
  requires sink<S, A>
  constexpr connector_event receive(const segment_type& in, instant now, S& out) {
    now_ = std::max(now_, now);
    if (state_ != connection_state::syn_sent) return connector_event::none;
    if (!in.flags.has(flag::ack)) return connector_event::none;
    const std::size_t carried = in.ack - (result_.iss + 1);
    if (carried > data_in_syn_ || syns_ == 0) {
      if (!in.flags.has(flag::rst)) out.send(reset_for(in));
      return connector_event::none;
    }
    if (in.flags.has(flag::rst)) return finish(connector_event::refused);
    if (!in.flags.has(flag::syn)) return connector_event::none;

    result_.irs = in.seq;
    result_.theirs = in.options;
    result_.carried = static_cast<std::uint16_t>(carried);
    result_.peer_window = in.window;
    result_.rtt = syns_ == 1 ? now_ - sent_at_ : 0;  // Karn: a repeated SYN measures nothing
    state_ = connection_state::established;
    auto reply = segment_to_peer(result_.tuple);
    reply.flags = flag::ack;
    reply.seq = in.ack;
    reply.ack = result_.irs + 1;
    reply.window = static_cast<std::uint16_t>(result_.first_window());
    if (result_.timestamps()) stamp(reply, result_.theirs.ts_value);
    out.send(reply);
    return finish(connector_event::connected);
  }

  /// Repeats the SYN or gives up, when that is due; once per call however late it comes.
  template <class S>
  requires sink<S, A>
  constexpr connector_event tick(instant now, S& out) {
    now_ = std::max(now_, now);
    if (state_ != connection_state::syn_sent || now_ < deadline_) return connector_event::none;
    if (syns_ > profile_.syn_retries) return finish(connector_event::timed_out);
    resend(out);
    return connector_event::none;
  }

  /// When `tick` has something to do; nothing unless in SYN-SENT.
  constexpr std::optional<instant> next_deadline() const noexcept {
    if (state_ != connection_state::syn_sent) return std::nullopt;
    return deadline_;
  }

  /// Gives up silently, as `close(2)` in SYN-SENT does.
  constexpr void abort() noexcept {
    if (state_ == connection_state::syn_sent) state_ = connection_state::closed;
  }

  /// `closed` (before start or after an error), `syn_sent` or `established`.
  constexpr connection_state state() const noexcept { return state_; }
  /// How the attempt ended; `none` while it has not.
  constexpr connector_event outcome() const noexcept { return outcome_; }
  /// The handshake's result; meaningful after `connected`.
  constexpr const basic_established<A>& established() const noexcept { return result_; }
  constexpr const basic_four_tuple<A>& tuple() const noexcept { return result_.tuple; }
  constexpr const kernel_profile& profile() const noexcept { return profile_; }
  /// Bytes of a fast-open SYN that the peer has acknowledged; meaningful after `connected`.
  constexpr std::size_t data_acked() const noexcept { return result_.carried; }
  /// SYNs handed to the sink so far.
  constexpr unsigned syns_sent() const noexcept { return syns_; }
  /// Send-Q as `ss` shows it: the SYN counts.
  constexpr std::size_t unacked() const noexcept { return state_ == connection_state::syn_sent ? 1 : 0; }

 private:
  constexpr segment_type next_syn() const noexcept {
    auto syn = segment_to_peer(result_.tuple);
    syn.flags = flag::syn;
    syn.seq = result_.iss;
    syn.window = result_.our_window;
    syn.options = profile_.offer;
    if (syn.options.timestamps) stamp(syn, 0);
    return syn;
  }
  template <class S>
  constexpr void resend(S& out) {
    sent(out.send(next_syn()));
  }
  constexpr bool sent(send_result r) noexcept {
    if (r == send_result::later) return false;
    ++syns_;
    sent_at_ = now_;
    deadline_ = after(now_, profile_.syn_interval(syns_));
    return true;
  }

  constexpr void stamp(segment_type& s, std::uint32_t echo) const noexcept {
    s.options.timestamps = true;
    s.options.ts_value = timestamp_at(now_, result_.ts_offset);
    s.options.ts_echo = echo;
  }

  constexpr connector_event finish(connector_event e) noexcept {
    if (e != connector_event::connected) state_ = connection_state::closed;
    return outcome_ = e;
  }

  kernel_profile profile_;
  basic_established<A> result_{};
  instant now_{};
  instant sent_at_{};
  instant deadline_ = never;
  std::size_t data_in_syn_ = 0;
  unsigned syns_ = 0;
  bool asked_ = false;
  connection_state state_ = connection_state::closed;
  connector_event outcome_ = connector_event::none;
};

using connector = basic_connector<ipv4>;

}  // namespace listenq
