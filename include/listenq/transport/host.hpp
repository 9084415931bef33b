// SPDX-License-Identifier: BSL-1.0
// A small host over any transport: listeners by port, connections by four-tuple, a RST for everybody else. It is what
// the library's documentation calls "the stack", for examples, tests and tools.
// It is not an event loop (it never waits and reads no clock), has no routes and no user interface, and is not a
// competitor in throughput: one thread, one connection object a peer.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <listenq/handshake.hpp>
#include <listenq/outcome.hpp>
#include <listenq/policy/hashing.hpp>
#include <listenq/policy/icmp.hpp>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/stream/child.hpp>
#include <listenq/stream/connection.hpp>
#include <listenq/stream/profile.hpp>
#include <listenq/transport/concept.hpp>
#include <listenq/transport/deadlines.hpp>
#include <listenq/transport/proven_peers.hpp>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace listenq {

/// Names a connection of a host. A used one never comes back: it names nothing once the connection is gone.
struct connection_id {
  std::uint32_t slot = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t generation = 0;
  friend constexpr bool operator==(const connection_id&, const connection_id&) = default;
};

/// Where segments went.
struct host_counts {
  std::uint64_t to_connections = 0;
  std::uint64_t to_listeners = 0;
  std::uint64_t to_nobody = 0;  ///< no listener at that port: RST, unless it was one
  std::uint64_t children = 0;   ///< connections that a listener has made
  std::uint64_t refused = 0;    ///< and could not, for want of room
  /// ICMP errors that the transport told of, by `icmp_verdict`: those about a port without listener are `no_request`,
  /// those about connections `ignored`, as RFC 1122 4.2.3.9 has it for all that may pass, but for a fast open's child
  /// that nobody has accepted: before its handshake is finished it is `ended`, and accept() returns what is left of it.
  std::array<std::uint64_t, icmp_verdict_count> errors{};

  constexpr std::uint64_t of(icmp_verdict v) const noexcept { return errors[static_cast<std::size_t>(v)]; }
};

struct host_options {
  kernel_profile profile = listenq::profile::linux_6_18;  ///< of the connections
  siphash_key key{};                                      ///< of the connection table; secret
  std::size_t max_connections = 65536;                    ///< those in TIME-WAIT included
  std::size_t proven_peers = 1024;                        ///< addresses remembered for `arrival::proven`; 0: none
};

/// Its listeners are copies of one prototype, whose `child` slot is `handles<connection_id>`. `T` and the host must
/// stay where they are. What a segment costs: O(1), and nothing is allocated unless it finishes a handshake or carries
/// bytes.
template <class T, class Listener>
requires transport<T> && std::same_as<typename T::addressing_type, typename Listener::addressing_type> &&
    std::same_as<typename Listener::handle_type, connection_id>
class host {
 public:
  using addressing_type = typename T::addressing_type;
  using segment_type = basic_segment<addressing_type>;
  using key_type = basic_four_tuple<addressing_type>;
  using handshake_type = basic_handshake<addressing_type>;
  using connection_type = basic_connection<addressing_type>;

  /// Something happened to an accepted connection.
  struct event {
    connection_id id{};
    connection_events what{};
  };

  host(T& wire, const Listener& prototype, const host_options& options = {})
      : wire_(wire),
        prototype_(prototype),
        options_(options),
        by_key_(0, hash_of{{options.key}}),
        proven_(options.proven_peers, options.key) {
    if constexpr (hears_of_errors) wire_.on_error([this](const auto& report) { this->complaint(report); });
  }
  host(const host&) = delete;
  host& operator=(const host&) = delete;
  ~host() {
    if constexpr (hears_of_errors) wire_.on_error(nullptr);
  }

  // -- the application's side

  /// Starts to listen at `port`, or changes the backlog, as `Listener::listen`.
  listen_result listen(std::uint16_t port, int backlog, instant now) {
    return listeners_.try_emplace(port, prototype_).first->second.listen(backlog, now);
  }

  /// The listener of a port, to look at or to tune; null if there never was one.
  Listener* listener_at(std::uint16_t port) noexcept {
    const auto i = listeners_.find(port);
    return i == listeners_.end() ? nullptr : &i->second;
  }

  /// Connections that wait are reset, as `Listener::close`; accepted ones live on.
  void close_port(std::uint16_t port, instant now) {
    if (Listener* l = listener_at(port)) {
      outlet out{*this, now};
      l->close(out, now);
    }
  }

  /// The connection that has waited longest at `port`; nothing if none waits. From now on it has events.
  std::optional<connection_id> accept(std::uint16_t port, instant now) {
    Listener* l = listener_at(port);
    if (l == nullptr) return std::nullopt;
    const auto a = l->accept(now);
    if (a.status != accept_status::ok && a.status != accept_status::aborted) return std::nullopt;
    entry* e = find(a.handle);
    if (e == nullptr) return std::nullopt;
    e->owner = owned_by::application;
    if (!e->pending.empty()) tell(*e, a.handle.slot);
    return a.handle;
  }

  /// The oldest event not yet told; one for each connection, whatever has come together.
  std::optional<event> next_event() {
    while (told_ < stirred_.size()) {
      const connection_id id = stirred_[told_++];
      entry* e = find(id);
      if (e == nullptr || !e->queued) continue;
      const event found{id, e->pending};
      e->pending = {};
      e->queued = false;
      return found;
    }
    stirred_.clear();
    told_ = 0;
    return std::nullopt;
  }

  /// A connection, to look at; null when it is gone. Good until the next call that is not const.
  const connection_type* find_connection(connection_id id) const noexcept {
    const entry* e = find(id);
    return e == nullptr ? nullptr : &*e->connection;
  }

  /// As the functions of `basic_connection`. One that is gone takes and yields nothing.
  std::size_t read(connection_id id, std::byte* to, std::size_t room, instant now) {
    return with(id, [&](connection_type& c) { return c.read(to, room, now, wire_); });
  }
  std::size_t send(connection_id id, byte_view bytes, instant now) {
    return with(id, [&](connection_type& c) { return c.send(bytes, now, wire_); });
  }
  void shutdown_send(connection_id id, instant now) {
    with(id, [&](connection_type& c) { return c.shutdown_send(now, wire_), std::size_t{}; });
  }
  /// The application is done with it: what it still has to do, TIME-WAIT included, it does by itself.
  void close(connection_id id, instant now) {
    if (entry* e = find(id)) e->owner = owned_by::nobody;
    with(id, [&](connection_type& c) {
      c.close(now, wire_);
      // The listener took its last ACK and the connection did not (a SYN+ACK, say): nothing would ever end it.
      if (c.state() == connection_state::syn_received && !c.next_deadline()) c.abort(now, wire_);
      return std::size_t{};
    });
  }
  void abort(connection_id id, instant now) {
    if (entry* e = find(id)) e->owner = owned_by::nobody;
    with(id, [&](connection_type& c) { return c.abort(now, wire_), std::size_t{}; });
  }

  // -- the network's side

  /// Reads up to `at_most` segments and lets all timers run. Returns how many were read: when that is `at_most`, there
  /// may be more.
  std::size_t poll(instant now, std::size_t at_most = std::numeric_limits<std::size_t>::max()) {
    now_ = std::max(now_, now);
    std::size_t read = 0;
    for (; read < at_most && wire_.writable(); ++read) {
      const std::optional<segment_type> s = wire_.receive();
      if (!s) break;
      route(*s, now);
    }
    outlet out{*this, now};
    for (auto& [port, l] : listeners_) {
      if (const auto d = l.next_deadline(); d && *d <= now) l.tick(now, out);
    }
    while (const auto slot = due_.take_due(now)) {
      entry& e = *entries_[*slot];
      if (!e.connection) continue;
      const connection_events what = e.connection->tick(now, wire_);
      const std::optional<instant> next = e.connection->next_deadline();
      after(*slot, what);
      if (next && *next <= now) break;  // the wire takes no more at this moment
    }
    return read;
  }

  /// When `poll` has something to do even if no segment comes. O(ports).
  std::optional<instant> next_deadline() {
    std::optional<instant> first = due_.next();
    for (auto& [port, l] : listeners_) {
      const std::optional<instant> d = l.next_deadline();
      if (d && (!first || *d < *first)) first = d;
    }
    return first;
  }

  const host_counts& counts() const noexcept { return counts_; }
  /// Connections there are, those in TIME-WAIT included.
  std::size_t connections() const noexcept { return entries_.size() - free_.size(); }

 private:
  struct any_ear {
    template <class Report>
    void operator()(const Report&) const {}
  };
  static constexpr bool hears_of_errors = requires(T & t) {
    t.on_error(any_ear{});
    t.on_error(nullptr);
  };

  enum class owned_by : unsigned char { listener, application, nobody };

  struct entry {
    std::optional<connection_type> connection;
    std::uint32_t generation = 0;
    std::uint16_t port = 0;
    owned_by owner = owned_by::listener;
    connection_events pending{};
    bool queued = false;
    bool by_key = false;     // the table finds it
    bool unsettled = false;  // fast open: the listener waits to hear how its handshake ends
  };

  struct hash_of {
    siphash<1, 3> h;
    std::size_t operator()(const key_type& k) const noexcept {
      constexpr std::size_t n = addressing_type::words;
      std::uint32_t w[2 * n + 1];
      for (std::size_t i = 0; i < n; ++i) {
        w[i] = addressing_type::word(k.peer_address, i);
        w[n + i] = addressing_type::word(k.local_address, i);
      }
      w[2 * n] = std::uint32_t{k.peer_port} << 16 | k.local_port;
      return static_cast<std::size_t>(h.hash(w, 2 * n + 1));
    }
  };

  /// What a listener sends into.
  struct outlet {
    host& of;
    instant now;
    send_result send(const segment_type& s) { return of.wire_.send(s); }
    std::optional<connection_id> make_child(const handshake_type& h, const segment_type& last) {
      return of.make_child(h, last, now);
    }
    void reset_child(const connection_id& id) { of.abort(id, now); }
  };

  /// Null if that connection is gone.
  entry* find(connection_id id) const noexcept {
    if (id.slot >= entries_.size()) return nullptr;
    entry& e = *entries_[id.slot];
    return e.connection && e.generation == id.generation ? &e : nullptr;
  }

  template <class F>
  std::size_t with(connection_id id, F f) {
    entry* e = find(id);
    if (e == nullptr) return 0;
    const std::size_t n = f(*e->connection);
    after(id.slot, {});
    return n;
  }

  void route(const segment_type& s, instant now) {
    arrival facts{};
    if (const auto i = by_key_.find(four_tuple_of(s)); i != by_key_.end()) {
      const std::uint32_t slot = i->second;
      connection_type& c = *entries_[slot]->connection;
      const connection_events what = c.receive(s, now, wire_);
      facts.isn = c.reuse_isn();
      after(slot, what);
      if (!what.has(connection_event::reused)) {
        ++counts_.to_connections;
        return;
      }
    }
    if (Listener* l = listener_at(s.destination.port)) {
      ++counts_.to_listeners;
      facts.proven = s.flags.has(flag::syn) && proven_.knows(s.source.address);
      outlet out{*this, now};
      l->receive(s, now, out, facts);
    } else {
      ++counts_.to_nobody;
      if (!s.flags.has(flag::rst)) wire_.send(reset_for(s));
    }
  }

  /// An ICMP error that the transport has checked. A listener asks whether the number is its SYN-ACK's.
  template <class Report>
  void complaint(const Report& r) {
    icmp_verdict v = icmp_verdict::no_request;
    if (const auto i = by_key_.find(r.about); i != by_key_.end()) {
      v = icmp_verdict::ignored;
      const std::uint32_t slot = i->second;
      if (entry& e = *entries_[slot]; e.owner == owned_by::listener && r.what != icmp_error::other) {
        const connection_events what = e.connection->unreachable(r.seq, now_);
        if (what.has(connection_event::closed)) v = icmp_verdict::ended;
        after(slot, what);
      }
    } else if (Listener* l = listener_at(r.about.local_port)) {
      v = l->unreachable(r.about, r.seq, now_, r.what);
    }
    ++counts_.errors[static_cast<std::size_t>(v)];
  }

  std::optional<connection_id> make_child(const handshake_type& h, const segment_type& last, instant now) {
    if (connections() >= options_.max_connections || by_key_.contains(h.key)) {
      ++counts_.refused;
      return std::nullopt;
    }
    ++counts_.children;
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(entries_.size()));
      entries_.push_back(std::make_unique<entry>());
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    entry& e = *entries_[slot];
    const auto payload = static_cast<std::uint16_t>(std::min<std::size_t>(wire_.limits().max_payload, 0xffff));
    auto start = child_of(h, last, payload);
    start.rtt = round_trip(h, last, now);
    e.connection.emplace(options_.profile, start, opening_of(h));
    e.unsettled = h.fast_open;
    e.port = h.key.local_port;
    e.owner = owned_by::listener;
    e.by_key = true;
    by_key_.emplace(h.key, slot);
    const connection_id id{slot, e.generation};
    after(slot, e.connection->receive(last, now, wire_));
    if (!last.flags.has(flag::syn)) proven_.learn(h.key.peer_address);
    return id;
  }

  void tell(entry& e, std::uint32_t slot) {
    if (e.queued || e.owner != owned_by::application) return;
    e.queued = true;
    stirred_.push_back({slot, e.generation});
  }

  void settle(entry& e, std::uint32_t slot) {
    if (!e.unsettled) return;
    const auto end = end_of_handshake(*e.connection);
    if (!end) return;
    e.unsettled = false;
    if constexpr (requires(Listener & l) { l.child_settled(connection_id{}, *end, now_); }) {
      if (Listener* l = listener_at(e.port)) l->child_settled({slot, e.generation}, *end, now_);
    }
  }

  /// A connection may have changed: its deadline, its end, what its owner is to hear.
  void after(std::uint32_t slot, connection_events what) {
    entry& e = *entries_[slot];
    const bool gone = e.connection->state() == connection_state::closed;
    due_.set(slot, e.connection->next_deadline());
    if (!what.empty()) {
      e.pending |= what;
      tell(e, slot);
    }
    settle(e, slot);
    if (!gone) return;
    if (e.by_key) {
      e.by_key = false;
      by_key_.erase(e.connection->tuple());
      if (e.owner == owned_by::listener) {
        if (Listener* l = listener_at(e.port)) l->child_gone({slot, e.generation});
      }
    }
    if (e.owner != owned_by::nobody) return;
    e.connection.reset();
    ++e.generation;
    e.pending = {};
    e.queued = false;
    free_.push_back(slot);
  }

  T& wire_;
  Listener prototype_;
  host_options options_;
  std::map<std::uint16_t, Listener> listeners_;
  std::unordered_map<key_type, std::uint32_t, hash_of> by_key_;
  proven_peers<addressing_type> proven_;
  std::vector<std::unique_ptr<entry>> entries_;
  std::vector<std::uint32_t> free_;
  deadlines due_;
  std::vector<connection_id> stirred_;
  std::size_t told_ = 0;
  instant now_ = 0;  // when a segment or a timer last came
  host_counts counts_{};
};

}  // namespace listenq
