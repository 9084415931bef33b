// SPDX-License-Identifier: BSL-1.0
// A client side for tests: numbered peers, segments written relative to the two ISNs, a sink that remembers. All of it
// is constexpr but `text`. Nothing here knows what a listener ought to do.
//
//   script<preset::linux_6_18> s{1};        // listen(1) at time 0
//   s.syn(0);                               // peer 0 sends a SYN
//   CHECK(s.out.last().flags == (flag::syn | flag::ack));
//   CHECK(s.ack(0) == verdict::promoted);   // and the ACK that finishes the handshake
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/listener.hpp>
#include <string>

namespace listenq::test {

/// The address of host `n`.
template <addressing A>
constexpr typename A::address host(std::uint32_t n) {
  typename A::address a{};
  if constexpr (requires { a.tag; }) {
    a.tag = n;
  } else if constexpr (A::words == 1) {
    a.value = 0x0a000000U + n;
  } else {
    a.value[3] = n;
  }
  return a;
}

inline constexpr std::uint16_t server_port = 20000;
inline constexpr std::uint16_t first_port = 30001;
inline constexpr seq_number C = 0x10000000;  ///< every client's ISN, unless a script says otherwise

template <addressing A = ipv4>
constexpr basic_four_tuple<A> tuple(int peer) {
  return {host<A>(2), host<A>(1), static_cast<std::uint16_t>(first_port + peer), server_port};
}

/// Seconds as an `instant`, rounded to the microsecond.
constexpr instant at(double seconds) { return static_cast<instant>(seconds * 1e6 + 0.5); }

inline constexpr std::array<std::byte, 4096> some_bytes{};

/// `n` bytes, which nobody reads.
constexpr byte_view bytes(std::size_t n) { return {some_bytes.data(), n}; }

/// Remembers the last segments and counts all of them; answers what it is told to.
template <addressing A = ipv4>
struct recorder {
  static constexpr std::size_t room = 64;
  std::array<basic_segment<A>, room> kept{};
  std::size_t count = 0;   ///< segments taken
  std::size_t asked = 0;   ///< segments offered
  std::size_t resets = 0;  ///< children handed back
  send_result answer = send_result::sent;
  std::size_t patience = ~std::size_t{0};  ///< from this many taken on, `send` says `later`
  bool takes_children = true;
  std::size_t children = 0;

  constexpr send_result send(const basic_segment<A>& s) {
    ++asked;
    if (count >= patience) return send_result::later;
    if (answer == send_result::sent) kept[count++ % room] = s;
    return answer;
  }
  constexpr bool make_child(const basic_handshake<A>&, const basic_segment<A>&) {
    if (takes_children) ++children;
    return takes_children;
  }
  template <class Handle>
  constexpr void reset_child(const Handle&) {
    ++resets;
  }
  constexpr const basic_segment<A>& operator[](std::size_t i) const { return kept[i % room]; }
  constexpr const basic_segment<A>& last() const { return kept[(count - 1) % room]; }
};

/// What a peer sends; numbers relative to the ISNs.
struct sending {
  listenq::flags flags{};
  std::int64_t seq = 0;  ///< relative to the client's ISN
  std::int64_t ack = 0;  ///< relative to the server's ISN
  std::size_t bytes = 0;
  tcp_options options{};
  std::uint16_t window = 64240;
};

template <class L, class Sink = recorder<typename L::addressing_type>>
struct script {
  using family = typename L::addressing_type;
  using segment_type = typename L::segment_type;

  L listener{};
  Sink out{};
  instant now = 0;
  seq_number client_isn = C;
  arrival facts{};
  outcome last{};

  constexpr explicit script(int backlog, const L& from = L{}) : listener{from} { listener.listen(backlog, 0); }

  /// The server's ISN for a peer: what its request says, or else what the last SYN-ACK to it said.
  constexpr seq_number iss(int peer) const {
    if (const auto r = listener.find_request(tuple<family>(peer))) return r->iss;
    for (std::size_t back = 1; back <= out.count && back <= out.room; ++back) {
      const segment_type& s = out[out.count - back];
      if (s.flags.has(flag::syn) && s.destination.port == first_port + peer) return s.seq;
    }
    return 0;
  }

  constexpr segment_type segment(int peer, const sending& x) const {
    segment_type s;
    const auto t = tuple<family>(peer);
    s.source = t.peer();
    s.destination = t.local();
    s.flags = x.flags;
    s.seq = client_isn + static_cast<seq_number>(x.seq);
    if (x.flags.has(flag::ack)) s.ack = iss(peer) + static_cast<seq_number>(x.ack);
    s.window = x.window;
    s.options = x.options;
    s.payload = bytes(x.bytes);
    return s;
  }
  constexpr verdict receive(const segment_type& s) {
    last = listener.receive(s, now, out, facts);
    return last.verdict;
  }
  constexpr verdict send(int peer, const sending& x) { return receive(segment(peer, x)); }

  constexpr verdict syn(int peer, const tcp_options& o = {}) { return send(peer, {.flags = flag::syn, .options = o}); }
  constexpr verdict ack(int peer) { return send(peer, {.flags = flag::ack, .seq = 1, .ack = 1}); }
  constexpr verdict data(int peer, std::size_t n = 13) {
    return send(peer, {.flags = flag::psh | flag::ack, .seq = 1, .ack = 1, .bytes = n});
  }
  constexpr verdict rst(int peer) { return send(peer, {.flags = flag::rst, .seq = 1}); }
  /// SYN and ACK of peers `first` to `last`, both included; how many got through.
  constexpr int connect(int first, int last_peer) {
    int n = 0;
    for (int i = first; i <= last_peer; ++i) n += syn(i) == verdict::admitted && ack(i) == verdict::promoted;
    return n;
  }

  constexpr tick_summary tick(instant t) {
    now = t;
    return listener.tick(now, out);
  }
  /// Ticks at every deadline up to `t`, then stands at `t`.
  constexpr void run_until(instant t) {
    for (auto due = listener.next_deadline(); due && *due <= t; due = listener.next_deadline()) {
      tick(*due > now ? *due : now);
    }
    now = t;
  }

  constexpr bool waits(int peer) const { return listener.find_request(tuple<family>(peer)) != nullptr; }
  constexpr auto request(int peer) const { return *listener.find_request(tuple<family>(peer)); }
};

/// A segment as golden/ writes it, numbers relative to `C` and `S`.
template <addressing A>
std::string text(const basic_segment<A>& s, seq_number client_isn, seq_number server_isn) {
  std::string t;
  if (s.flags.has(flag::syn)) t += 'S';
  if (s.flags.has(flag::fin)) t += 'F';
  if (s.flags.has(flag::rst)) t += 'R';
  if (s.flags.has(flag::psh)) t += 'P';
  if (s.flags.has(flag::ack)) t += '.';
  if (s.flags.has(flag::ece)) t += 'E';
  if (s.flags.has(flag::cwr)) t += 'W';
  t += " seq=S" + std::string(static_cast<std::int32_t>(s.seq - server_isn) < 0 ? "" : "+") +
       std::to_string(static_cast<std::int32_t>(s.seq - server_isn));
  t += s.flags.has(flag::ack) ? " ack=C+" + std::to_string(s.ack - client_isn) : " ack=-";
  t += " len=" + std::to_string(s.payload.size) + " win " + std::to_string(s.window);
  if (s.options.mss != 0) t += " mss " + std::to_string(s.options.mss);
  if (s.options.sack_permitted) t += " sackOK";
  if (s.options.timestamps) t += " ecr " + std::to_string(s.options.ts_echo);
  if (s.options.has_window_scale()) t += " wscale " + std::to_string(s.options.window_scale);
  return t;
}

}  // namespace listenq::test
