// SPDX-License-Identifier: BSL-1.0
// A whole network in one process with a virtual clock: hosts, ports, links with delay, loss, duplication and jitter,
// and timers. The same seed and the same calls give the same run, bit for bit, on every machine. It is not a model of
// queues or bandwidth, not thread safe, and knows nothing of TCP beyond the RST of a closed port.
// The order of events is `virtual_clock`'s: at one instant first the arriving segments as they were sent, then timers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <listenq/address.hpp>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/time.hpp>
#include <listenq/transport/concept.hpp>
#include <listenq/transport/splitmix64.hpp>
#include <listenq/transport/virtual_clock.hpp>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace listenq {

/// One direction between two hosts.
struct link_options {
  duration delay = 0;    ///< every segment takes this long; at least 0
  duration jitter = 0;   ///< plus 0..jitter, drawn evenly for each segment: what reorders; at least 0
  double loss = 0;       ///< probability that a segment never arrives, 0..1
  double duplicate = 0;  ///< probability that a segment that arrives arrives twice, 0..1
  friend bool operator==(const link_options&, const link_options&) = default;
};

struct network_options {
  std::uint64_t seed = 1;                      ///< of everything that is drawn
  tie_order timers = tie_order::newest_first;  ///< among timers due at the same instant
  instant start = 0;                           ///< the clock's first value
  send_result no_route = send_result::failed;  ///< what sending to an unknown host yields (`sent`: swallowed)
  std::size_t max_payload = 1460;              ///< `limits()` of every port; a longer payload is `failed`
};

/// Why a call did nothing.
enum class network_error : unsigned char {
  none,
  no_such_host,
  host_exists,
  address_in_use,
  ports_exhausted,  ///< all of 32768..60999 are taken on that host
  bad_probability,  ///< outside 0..1, or not a number
  bad_duration,     ///< below 0
};

/// How a run ended.
struct run_result {
  std::size_t events = 0;  ///< deliveries and timers handled
  bool idle = false;       ///< nothing left to do
};

/// The network. It stays where it is (ports and timers point to it) and must outlive them. Hosts, bindings and timers
/// are found in O(1); an event costs O(log pending). A callback may do anything but destroy the network or run it.
template <addressing A>
class basic_network {
 public:
  using addressing_type = A;
  using segment_type = basic_segment<A>;
  using address = typename A::address;
  using endpoint_type = basic_endpoint<A>;
  using callback = std::function<void()>;
  using tap = std::function<void(instant sent_at, const segment_type& segment, bool lost)>;

  using timer_id = listenq::timer_id;

  class port;
  class wake;
  struct bound;

  explicit basic_network(const network_options& options = {})
      : options_(options), random_(options.seed), clock_(options.start, options.timers) {}
  basic_network(const basic_network&) = delete;
  basic_network& operator=(const basic_network&) = delete;

  instant now() const noexcept { return clock_.now(); }

  // -- shape ----------------------------------------------------------------------------------------------------

  network_error add_host(const address& a) {
    return hosts_.try_emplace(a).second ? network_error::none : network_error::host_exists;
  }

  /// Of the direction `from` -> `to`, for segments sent from now on; links not set have the default. A host reaches
  /// itself over a link like any other.
  network_error set_link(const address& from, const address& to, const link_options& l) {
    const network_error e = check(l);
    if (e != network_error::none) return e;
    if (!hosts_.contains(from) || !hosts_.contains(to)) return network_error::no_such_host;
    links_[{from, to}] = l;
    return network_error::none;
  }

  /// Of all links that have none of their own.
  network_error set_default_link(const link_options& l) {
    const network_error e = check(l);
    if (e == network_error::none) default_link_ = l;
    return e;
  }

  /// Shows every segment to `t` when it is sent, in sending order, with what the link will do to it (`lost`). RSTs of
  /// closed ports too; not segments that had no route. One tap; an empty one takes it off.
  void on_segment(tap t) { tap_ = std::move(t); }

  // -- ports ----------------------------------------------------------------------------------------------------

  /// All segments to `number` of that host for which there is no binding to their exact peer. 0 chooses an ephemeral.
  bound bind(const address& host, std::uint16_t number) { return bind(endpoint_type{host, number}, std::nullopt); }
  /// Only those that come from `peer` (port not 0). May share its number with the port above and with exact ports of
  /// other peers.
  bound bind(const address& host, std::uint16_t number, const endpoint_type& peer) {
    return bind(endpoint_type{host, number}, peer);
  }
  /// An ephemeral number (32768..60999 as Linux, in rotation from a start drawn by the seed) to talk to `peer`.
  bound connect_port(const address& host, const endpoint_type& peer) { return bind(host, 0, peer); }

  // -- time -----------------------------------------------------------------------------------------------------

  /// Calls `f` at `when`, or as soon as possible if that is past. O(log pending).
  timer_id at(instant when, callback f) { return clock_.at(when, std::move(f)); }

  /// True if the timer was still to come; it will not be called.
  bool cancel(timer_id id) { return clock_.cancel(id); }

  /// When the next event is due; nothing when idle. O(1), amortized with cancelled timers.
  std::optional<instant> next_event() { return clock_.next_event(); }

  /// Handles the next event, moving the clock to it. False when there is none.
  bool step() {
    return clock_.step([this](std::uint32_t slot) { deliver(slot); });
  }

  /// Handles everything due up to `until`, which then is `now()` (unless that is past already).
  run_result run_until(instant until) {
    run_result r;
    for (auto due = next_event(); due && *due <= until; due = next_event()) {
      step();
      ++r.events;
    }
    clock_.advance(until);
    r.idle = clock_.idle();
    return r;
  }

  /// Handles events until there are none, at most `max_events`.
  run_result run_until_idle(std::size_t max_events) {
    run_result r;
    while (r.events < max_events && step()) ++r.events;
    r.idle = !next_event();
    return r;
  }

 private:
  struct flight {
    segment_type segment{};
    std::vector<std::byte> payload;  // `segment.payload` is set when it is received
  };
  struct socket {
    endpoint_type local{};
    std::optional<endpoint_type> peer;
    std::deque<flight> inbox;
    flight current;
    callback on_arrival;
  };
  struct name {
    endpoint_type local{};
    endpoint_type peer{};  // port 0: any
    friend bool operator==(const name&, const name&) = default;
  };
  struct host_state {
    std::uint16_t next_ephemeral = 0;  // 0: not drawn yet
    std::unordered_map<std::uint16_t, std::size_t> users;
  };
  struct hash {
    static std::uint64_t mix(std::uint64_t h, std::uint64_t v) noexcept { return splitmix64(h ^ v).next(); }
    std::size_t operator()(const address& a) const noexcept {
      std::uint64_t h = 0;
      for (std::size_t i = 0; i < A::words; ++i) h = mix(h, A::word(a, i));
      return static_cast<std::size_t>(h);
    }
    std::size_t operator()(const std::pair<address, address>& p) const noexcept {
      return static_cast<std::size_t>(mix((*this)(p.first), (*this)(p.second)));
    }
    std::size_t operator()(const name& n) const noexcept {
      const std::uint64_t ports = (std::uint64_t{n.local.port} << 16) | n.peer.port;
      return static_cast<std::size_t>(mix((*this)(std::pair{n.local.address, n.peer.address}), ports));
    }
  };

  static constexpr std::uint16_t first_ephemeral = 32768;
  static constexpr std::uint16_t last_ephemeral = 60999;

  static network_error check(const link_options& l) noexcept {
    const auto probability = [](double p) { return p >= 0 && p <= 1; };
    if (!probability(l.loss) || !probability(l.duplicate)) return network_error::bad_probability;
    if (l.delay < 0 || l.jitter < 0) return network_error::bad_duration;
    return network_error::none;
  }

  bound bind(endpoint_type local, std::optional<endpoint_type> peer);

  std::uint16_t ephemeral(host_state& h) {
    constexpr std::uint16_t count = last_ephemeral - first_ephemeral + 1;
    if (h.next_ephemeral == 0)
      h.next_ephemeral = static_cast<std::uint16_t>(first_ephemeral + random_.up_to(count - 1));
    for (unsigned tries = 0; tries < count; ++tries) {
      const std::uint16_t p = h.next_ephemeral;
      h.next_ephemeral = p == last_ephemeral ? first_ephemeral : static_cast<std::uint16_t>(p + 1);
      if (!h.users.contains(p)) return p;
    }
    return 0;
  }

  void unbind(const socket& s) {
    ports_.erase({s.local, s.peer.value_or(endpoint_type{})});
    auto& users = hosts_.find(s.local.address)->second.users;
    const auto it = users.find(s.local.port);
    if (--it->second == 0) users.erase(it);
  }

  send_result transmit(const address& from, const segment_type& s) {
    if (!hosts_.contains(s.destination.address)) return options_.no_route;
    if (s.payload.size > options_.max_payload) return send_result::failed;
    const auto it = links_.find({from, s.destination.address});
    const link_options& l = it == links_.end() ? default_link_ : it->second;
    const bool lost = random_.chance(l.loss);
    const unsigned copies = lost ? 0 : random_.chance(l.duplicate) ? 2 : 1;
    for (unsigned i = 0; i < copies; ++i) {
      const auto jitter = l.jitter > 0 ? static_cast<duration>(random_.up_to(static_cast<std::uint64_t>(l.jitter))) : 0;
      clock_.deliver_at(after(after(now(), l.delay), jitter), take_off(s));
    }
    if (tap_) tap_(now(), s, lost);
    return send_result::sent;
  }

  std::uint32_t take_off(const segment_type& s) {
    if (free_flights_.empty()) {
      free_flights_.push_back(static_cast<std::uint32_t>(flights_.size()));
      flights_.emplace_back();
    }
    const std::uint32_t index = free_flights_.back();
    free_flights_.pop_back();
    flights_[index].segment = s;
    flights_[index].payload.assign(s.payload.begin(), s.payload.end());
    return index;
  }

  void deliver(std::uint32_t index) {
    flight f = std::move(flights_[index]);
    free_flights_.push_back(index);
    auto it = ports_.find({f.segment.destination, f.segment.source});
    if (it == ports_.end()) it = ports_.find({f.segment.destination, {}});
    if (it == ports_.end()) {
      f.segment.payload = {f.payload.data(), f.payload.size()};
      if (!f.segment.flags.has(flag::rst)) transmit(f.segment.destination.address, reset_for(f.segment));
      return;
    }
    const std::shared_ptr<socket> s = it->second;  // the callback may drop the port
    s->inbox.push_back(std::move(f));
    if (s->on_arrival) s->on_arrival();
  }

  network_options options_;
  splitmix64 random_;
  tap tap_;
  link_options default_link_{};
  std::unordered_map<address, host_state, hash> hosts_;
  std::unordered_map<std::pair<address, address>, link_options, hash> links_;
  std::unordered_map<name, std::shared_ptr<socket>, hash> ports_;
  std::vector<flight> flights_;
  std::vector<std::uint32_t> free_flights_;
  virtual_clock clock_;  // goes first: what waits in it may own ports
};

/// A bound port: a `transport`. It can be moved; destroying it (or `close`) unbinds it and drops what had arrived. A
/// default-constructed one is closed. Arrivals wait without limit, so it is always writable.
template <addressing A>
class basic_network<A>::port {
 public:
  using addressing_type = A;

  port() = default;
  port(port&& other) noexcept : net_(std::exchange(other.net_, nullptr)), slot_(std::move(other.slot_)) {}
  port& operator=(port&& other) noexcept {
    std::swap(net_, other.net_);
    std::swap(slot_, other.slot_);
    return *this;
  }
  ~port() { close(); }

  /// The next segment that has arrived; its payload is valid until the next `receive` or `close`.
  std::optional<segment_type> receive() {
    if (net_ == nullptr || slot_->inbox.empty()) return std::nullopt;
    slot_->current = std::move(slot_->inbox.front());
    slot_->inbox.pop_front();
    segment_type s = slot_->current.segment;
    s.payload = {slot_->current.payload.data(), slot_->current.payload.size()};
    return s;
  }

  /// Takes the link from this port's host to the destination's, whatever source the segment claims (spoofing works).
  /// `failed`: closed port, unknown destination, or payload beyond `limits()`.
  send_result send(const segment_type& s) {
    return net_ == nullptr ? send_result::failed : net_->transmit(slot_->local.address, s);
  }

  bool writable() const noexcept { return net_ != nullptr; }
  transport_limits limits() const noexcept { return {net_ == nullptr ? 0 : net_->options_.max_payload}; }

  /// Called once for each segment, right after it has arrived. It may close the port but not replace itself.
  void on_arrival(const callback& f) {
    if (net_ != nullptr) slot_->on_arrival = f;
  }

  bool is_open() const noexcept { return net_ != nullptr; }
  endpoint_type local() const noexcept { return net_ == nullptr ? endpoint_type{} : slot_->local; }
  /// Segments waiting for `receive`.
  std::size_t pending() const noexcept { return net_ == nullptr ? 0 : slot_->inbox.size(); }

  void close() noexcept {
    if (net_ == nullptr) return;
    net_->unbind(*slot_);
    net_ = nullptr;
    slot_.reset();
  }

 private:
  friend class basic_network;
  port(basic_network* net, std::shared_ptr<socket> s) noexcept : net_(net), slot_(std::move(s)) {}
  basic_network* net_ = nullptr;
  std::shared_ptr<socket> slot_;
};

/// What `bind` yields: an open port, or a closed one and the reason.
template <addressing A>
struct basic_network<A>::bound {
  basic_network::port port{};
  network_error error = network_error::none;
  explicit operator bool() const noexcept { return error == network_error::none; }
};

/// One owner's single timer: set it to the owner's `next_deadline()` after every call. Setting the instant it already
/// has keeps its place among equals, as Linux's mod_timer does. Destroying it disarms it. It stays where it is.
template <addressing A>
class basic_network<A>::wake {
 public:
  wake(basic_network& net, callback f) : net_(&net), f_(std::make_shared<callback>(std::move(f))) {}
  wake(const wake&) = delete;
  wake& operator=(const wake&) = delete;
  ~wake() { net_->cancel(id_); }

  /// Arms for `when`, moves to it, or disarms when there is none.
  void set(std::optional<instant> when) {
    if (when == when_) return;
    net_->cancel(std::exchange(id_, {}));
    when_ = when;
    if (!when) return;
    id_ = net_->at(*when, [this] {
      when_.reset();
      id_ = {};
      const std::shared_ptr<callback> f = f_;  // it may destroy this object
      (*f)();
    });
  }
  std::optional<instant> armed_for() const noexcept { return when_; }

 private:
  basic_network* net_;
  std::shared_ptr<callback> f_;
  timer_id id_{};
  std::optional<instant> when_;
};

template <addressing A>
typename basic_network<A>::bound basic_network<A>::bind(endpoint_type local, std::optional<endpoint_type> peer) {
  const auto h = hosts_.find(local.address);
  if (h == hosts_.end()) return {{}, network_error::no_such_host};
  if (local.port == 0) local.port = ephemeral(h->second);
  if (local.port == 0) return {{}, network_error::ports_exhausted};
  auto s = std::make_shared<socket>();
  s->local = local;
  s->peer = peer;
  if (!ports_.try_emplace({local, peer.value_or(endpoint_type{})}, s).second)
    return {{}, network_error::address_in_use};
  ++h->second.users[local.port];
  return {port(this, std::move(s)), network_error::none};
}

using network = basic_network<ipv4>;

static_assert(transport<network::port>);

}  // namespace listenq
