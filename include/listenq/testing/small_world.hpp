// SPDX-License-Identifier: BSL-1.0
// A small world: one listener, a few clients, and every segment that is on its way between them. It knows what can
// happen next and does it, one move at a time; explore.hpp tries all moves. It is not a network (no links, no delays: a
// segment arrives when a move says so) and its clients know only the handshake.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <listenq/handshake.hpp>
#include <listenq/outcome.hpp>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/testing/invariants.hpp>
#include <listenq/time.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace listenq::testing {

/// What can happen.
enum class move_kind : std::uint8_t {
  connect,    ///< a client sends its SYN, or sends it again
  to_server,  ///< a segment of a client arrives
  to_client,  ///< a segment for a client arrives
  lose,       ///< a segment, of either direction, is lost
  duplicate,  ///< a segment of a client arrives and is still on its way
  tick,       ///< time passes until a timer of the listener does something
  accept,     ///< the application takes a connection
  close,      ///< the listener closes
  listen,     ///< and listens again, with the same backlog
};

constexpr const char* name_of(move_kind m) noexcept {
  constexpr const char* names[] = {"connect", "to_server", "to_client", "lose",  "duplicate",
                                   "tick",    "accept",    "close",     "listen"};
  return names[static_cast<std::size_t>(m)];
}

/// One move. `client` and `flags` say whose segment it is about.
struct world_move {
  move_kind kind = move_kind::tick;
  std::uint8_t client = 0;
  std::uint8_t place = 0;  ///< which of its segments, as they stand in the world
  bool outbound = false;   ///< `lose`: a segment of ours
  listenq::flags flags{};  ///< of that segment
  friend constexpr bool operator==(const world_move&, const world_move&) = default;
};

/// How large a world is, and how much may go wrong in one run of it.
struct world_options {
  std::uint8_t clients = 2;     ///< 1..4
  int backlog = 0;              ///< what listen() is called with
  std::uint8_t losses = 0;      ///< segments that may be lost
  std::uint8_t duplicates = 0;  ///< segments that may arrive twice
  std::uint8_t repeats = 0;     ///< SYNs that may be sent again
  std::uint8_t accepts = 0;     ///< calls of accept()
  std::uint8_t closes = 0;      ///< times that the listener may close and listen again
};

enum class client_state : std::uint8_t { idle, waiting, connected, refused };

/// `L` has to be copyable and its handle the four-tuple or the record. Fewest states come out where ISNs do not depend
/// on the time (`isn<fixed_isn<n>>`).
template <observable L>
class small_world {
 public:
  using segment_type = typename L::segment_type;
  using key_type = typename L::key_type;

  struct flight {
    listenq::flags flags{};
    seq_number seq = 0;
    seq_number ack = 0;
    friend constexpr bool operator==(const flight&, const flight&) = default;
  };
  struct client {
    client_state state = client_state::idle;
    bool accepted = false;  ///< the application has its connection
    bool made = false;      ///< the stack has a connection for it
    seq_number iss = 0;
    seq_number irs = 0;
    std::vector<flight> up{};  ///< on their way to the listener; what is the same twice is there once
    std::vector<flight> down{};
  };

  small_world(L door, const world_options& o) : door_(std::move(door)), left_(o), clients_(o.clients) {
    for (std::size_t i = 0; i < clients_.size(); ++i) clients_[i].iss = static_cast<seq_number>(1000 * (i + 1));
    door_.listen(o.backlog);
  }

  /// Calls `f(world_move)` for everything that can happen now.
  template <class F>
  void for_each_move(F&& f) const {
    for (std::uint8_t c = 0; c < clients_.size(); ++c) {
      const client& one = clients_[c];
      const bool again = one.state == client_state::waiting && left_.repeats > 0 && !flies(one.up, syn_of(one));
      if (one.state == client_state::idle || again) f(world_move{move_kind::connect, c, 0, false, flag::syn});
      for (std::uint8_t i = 0; i < one.up.size(); ++i) {
        f(world_move{move_kind::to_server, c, i, false, one.up[i].flags});
        if (left_.duplicates > 0) f(world_move{move_kind::duplicate, c, i, false, one.up[i].flags});
        if (left_.losses > 0) f(world_move{move_kind::lose, c, i, false, one.up[i].flags});
      }
      for (std::uint8_t i = 0; i < one.down.size(); ++i) {
        f(world_move{move_kind::to_client, c, i, true, one.down[i].flags});
        if (left_.losses > 0) f(world_move{move_kind::lose, c, i, true, one.down[i].flags});
      }
    }
    if (door_.next_deadline()) f(world_move{.kind = move_kind::tick});
    if (left_.accepts > 0 && door_.accept_count() > 0) f(world_move{.kind = move_kind::accept});
    if (left_.closes > 0 && door_.listening()) f(world_move{.kind = move_kind::close});
    if (!door_.listening()) f(world_move{.kind = move_kind::listen});
  }

  /// Does one of the moves that `for_each_move` has named. The verdict, where a segment arrived at the listener.
  std::optional<verdict> make(const world_move& m) {
    switch (m.kind) {
      case move_kind::connect: {
        client& one = clients_[m.client];
        if (one.state == client_state::waiting) --left_.repeats;
        one.state = client_state::waiting;
        put(one.up, syn_of(one));
        return std::nullopt;
      }
      case move_kind::to_server:
        return arrive(m, false);
      case move_kind::duplicate:
        --left_.duplicates;
        return arrive(m, true);
      case move_kind::to_client: {
        client& one = clients_[m.client];
        const flight s = take(one.down, m.place);
        hear(one, s);
        return std::nullopt;
      }
      case move_kind::lose:
        --left_.losses;
        take(m.outbound ? clients_[m.client].down : clients_[m.client].up, m.place);
        return std::nullopt;
      case move_kind::tick: {
        postman out{*this};
        tick_summary sum;
        // A hand may pass many buckets before it does anything.
        for (auto due = door_.next_deadline(); due && sum.timers == 0; due = door_.next_deadline()) {
          now_ = std::max(now_, *due);
          sum = door_.tick(now_, out);
        }
        return std::nullopt;
      }
      case move_kind::accept: {
        --left_.accepts;
        const auto c = door_.accept(now_);
        if (c) clients_[index_of(c.handle)].accepted = true;
        return std::nullopt;
      }
      case move_kind::close: {
        --left_.closes;
        postman out{*this};
        door_.close(out, now_);
        return std::nullopt;
      }
      case move_kind::listen:
        door_.listen(left_.backlog, now_);
        return std::nullopt;
    }
    return std::nullopt;
  }

  const L& door() const noexcept { return door_; }
  const std::vector<client>& clients() const noexcept { return clients_; }
  instant now() const noexcept { return now_; }

  /// A client that believes in a connection of which the listener, the stack and the network between know nothing.
  bool stranded(std::size_t c) const {
    const client& one = clients_[c];
    return one.state == client_state::connected && !one.made && one.up.empty() && one.down.empty() &&
           door_.find_request(key_of(c)) == nullptr;
  }

  /// A number that two worlds share when everything that can be seen agrees, and so does all that the listener would
  /// still send if nothing more arrived, and if one more SYN did.
  std::uint64_t fingerprint() const {
    digest d;
    d.add(left_.losses, left_.duplicates, left_.repeats, left_.accepts, left_.closes);
    for (const client& c : clients_) {
      d.add(static_cast<std::uint64_t>(c.state), c.accepted, c.made, c.irs);
      for (const auto* side : {&c.up, &c.down}) {
        d.add(side->size());
        std::uint64_t sum = 0;  // in whatever order they were sent
        for (const flight& s : *side) sum += digest{}.add(s.flags.bits, s.seq, s.ack).value;
        d.add(sum);
      }
    }
    d.add(door_.listening(), door_.request_count(), door_.young_count(), door_.accept_count());
    std::uint64_t sum = 0;
    door_.for_each_request([&](const auto& r) {
      sum += digest{}
                 .add(r.key.peer_port, r.irs, r.iss, r.timeouts, r.retransmits, r.acked, r.answered,
                      static_cast<std::uint64_t>(r.deadline - now_),
                      r.answered ? static_cast<std::uint16_t>(now_ / r.answer_unit - r.answered_at) : 0U)
                 .value;
    });
    d.add(sum);
    door_.for_each_waiting([&](const auto& h) { d.add(index_of(h)); });
    d.add(cookie_at_ ? static_cast<std::uint64_t>(std::min<duration>(now_ - *cookie_at_, longest_cookie)) : ~0ULL);
    foresee(door_, d);
    L with_one_more = door_;
    listener_postman one{d, now_};
    with_one_more.receive(segment_of(clients_.size(), {flag::syn, 77, 0}), now_, one);
    foresee(with_one_more, d);
    return d.value;
  }

 private:
  struct digest {
    std::uint64_t value = 0x9e3779b97f4a7c15U;
    template <class... Words>
    digest& add(Words... words) noexcept {
      (mix(static_cast<std::uint64_t>(words)), ...);
      return *this;
    }
    void mix(std::uint64_t w) noexcept {
      value = (value ^ w) * 0xff51afd7ed558ccdU;
      value ^= value >> 32;
    }
  };

  /// Takes the listener's segments to where they go.
  struct postman {
    small_world& world;
    send_result send(const segment_type& s) {
      const std::size_t c = s.destination.port - first_port;
      if (c < world.clients_.size()) put(world.clients_[c].down, {s.flags, s.seq, s.ack});
      return send_result::sent;
    }
    template <class Handshake>
    bool make_child(const Handshake& h, const segment_type&) {
      world.clients_[h.key.peer_port - first_port].made = true;
      return true;
    }
    template <class Handle>
    void reset_child(const Handle& h) {
      client& one = world.clients_[world.index_of(h)];
      one.made = false;
      put(one.down, {flag::rst, one.irs + 1, 0});
    }
  };
  /// Writes down what would be sent.
  struct listener_postman {
    digest& d;
    instant now;
    send_result send(const segment_type& s) {
      d.add(s.destination.port, s.flags.bits, s.seq, s.ack);
      return send_result::sent;
    }
    template <class Handshake>
    bool make_child(const Handshake&, const segment_type&) {
      return true;
    }
  };

  static constexpr std::uint16_t first_port = 30001;
  static constexpr duration longest_cookie = 1000 * second;

  static bool flies(const std::vector<flight>& v, const flight& s) {
    return std::find(v.begin(), v.end(), s) != v.end();
  }
  static void put(std::vector<flight>& v, const flight& s) {
    if (!flies(v, s)) v.push_back(s);
  }
  static flight take(std::vector<flight>& v, std::size_t i) {
    const flight s = v[i];
    v.erase(v.begin() + static_cast<std::ptrdiff_t>(i));
    return s;
  }
  static flight syn_of(const client& c) noexcept { return {flag::syn, c.iss, 0}; }

  static segment_type segment_of(std::size_t c, const flight& f) noexcept {
    segment_type s;
    s.source.port = static_cast<std::uint16_t>(first_port + c);
    s.destination.port = 80;
    s.flags = f.flags;
    s.seq = f.seq;
    s.ack = f.ack;
    s.window = 64240;
    return s;
  }
  static key_type key_of(std::size_t c) noexcept { return four_tuple_of(segment_of(c, {})); }
  template <class Handle>
  static std::size_t index_of(const Handle& h) noexcept {
    if constexpr (requires { h.key; }) {
      return h.key.peer_port - first_port;
    } else {
      return h.peer_port - first_port;
    }
  }

  std::optional<verdict> arrive(const world_move& m, bool stays) {
    client& one = clients_[m.client];
    const flight s = stays ? one.up[m.place] : take(one.up, m.place);
    if (one.made) return std::nullopt;  // the connection's, which has nothing to say to it here
    postman out{*this};
    const outcome o = door_.receive(segment_of(m.client, s), now_, out);
    if (o.verdict == verdict::cookie_sent) cookie_at_ = now_;
    return o.verdict;
  }

  static void hear(client& one, const flight& s) {
    if (one.state != client_state::waiting && one.state != client_state::connected) return;
    if (s.flags.has(flag::rst)) {
      one.state = client_state::refused;
    } else if (s.flags.has(flag::syn | flag::ack) && s.ack == one.iss + 1) {
      if (one.state == client_state::waiting) one.irs = s.seq;
      one.state = client_state::connected;
      put(one.up, {flag::ack, one.iss + 1, one.irs + 1});
    }
  }

  void foresee(L door, digest& d) const {
    instant at = now_;
    for (auto due = door.next_deadline(); due; due = door.next_deadline()) {
      at = std::max(at, *due);
      listener_postman out{d, at};
      const tick_summary sum = door.tick(at, out);
      if (sum.timers > 0) d.add(at - now_, sum.resent, sum.forgotten);
    }
  }

  L door_;
  world_options left_;
  std::vector<client> clients_;
  instant now_ = 0;
  std::optional<instant> cookie_at_{};
};

}  // namespace listenq::testing
