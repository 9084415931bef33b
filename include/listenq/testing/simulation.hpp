// SPDX-License-Identifier: BSL-1.0
// simulation: one listener against thousands of honest hosts and whatever a `hostility` adds, on the in-memory network,
// in virtual time, deterministic: the same seed gives the same run, event for event, on every machine.
// After every event the books must balance; now and then every invariant of a state is checked; at the end nothing may
// be left. It is no model: it does not know which verdict is due (explore.hpp and the property tests ask that).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <listenq/handshake.hpp>
#include <listenq/outcome.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/segment.hpp>
#include <listenq/stream/connector.hpp>
#include <listenq/stream/profile.hpp>
#include <listenq/testing/event_log.hpp>
#include <listenq/testing/hostility.hpp>
#include <listenq/testing/invariants.hpp>
#include <listenq/testing/recording.hpp>
#include <listenq/transport/in_memory.hpp>
#include <listenq/transport/splitmix64.hpp>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace listenq::testing {

struct simulation_options {
  std::uint64_t seed = 1;
  duration length = never;             ///< virtual time, then the end begins
  std::uint64_t events = 1'000'000;    ///< deliveries and timers, then the end begins, too
  std::optional<hostility> against{};  ///< instead of the mix that the seed draws
  std::uint64_t check_every = 4096;    ///< events between two looks at the whole state
  expectations expected{};             ///< of the state
  /// Is told all that the listener is asked and answers, so that the run can be replayed: see event_log.hpp. Not of
  /// hand-overs.
  std::function<void(const log_entry&)> log{};
};

struct simulation_report {
  hostility against{};
  std::uint64_t events = 0;
  instant time = 0;                                     ///< of the network, at the end
  std::array<std::uint64_t, verdict_count> verdicts{};  ///< segments that the listener has seen, by what became of them
  std::uint64_t attempts = 0;                           ///< of honest hosts
  std::uint64_t connected = 0;                          ///< attempts that the host believes to have succeeded
  std::uint64_t served = 0;                             ///< and that the application has accepted
  std::uint64_t refused = 0;                            ///< that met a RST before they were connected
  std::optional<invariant> broken{};                    ///< the first that was, and after how many events
  std::uint64_t broken_at = 0;
  std::uint64_t digest = 0;  ///< of every segment and verdict: equal runs, equal digests
  std::uint32_t most_requests = 0;
};

/// Several listeners on one port, of which some come and go: sharded.hpp.
template <class L>
concept shares_port = requires(const L& l) {
  l.members();
};

/// One run. `L` speaks IPv4 and its handle is the four-tuple or the record.
template <observable L>
requires std::same_as<typename L::handle_type, four_tuple> || std::same_as<typename L::handle_type, handshake>
class simulation {
 public:
  simulation(L door, const simulation_options& o)
      : options_(o),
        random_(o.seed),
        against_(o.against ? *o.against : draw_hostility(random_, shares_port<L>)),
        door_(std::move(door)),
        tap_(door_, options_.log) {
    report_.against = against_;
  }

  simulation_report run() {
    network_options n;
    n.seed = random_.next();
    n.no_route = send_result::sent;  // a spoofed address is somewhere, and silent
    net_.emplace(n);
    net_->set_default_link(against_.link);
    net_->add_host(server_address);
    net_->add_host(attacker_address);
    port_ = net_->bind(server_address, 80).port;
    attack_ = net_->bind(attacker_address, 1).port;
    port_.on_arrival([this] { serve(); });
    timer_.emplace(*net_, [this] { tick(); });
    tap_.listen(against_.backlog, now());
    for (std::uint32_t i = 0; i < against_.hosts; ++i) {
      hosts_.push_back(std::make_unique<honest>(*this, i));
      hosts_.back()->rest();
    }
    begin_troubles();
    while (!report_.broken && report_.events < options_.events && net_->now() < options_.length && net_->step()) {
      after_event();
    }
    if (!report_.broken) end();
    report_.time = net_->now();
    return report_;
  }

 private:
  static constexpr ipv4::address server_address = ip(10, 0, 0, 1);
  static constexpr ipv4::address attacker_address = ip(10, 0, 0, 2);
  static constexpr ipv4::address address_of(std::uint32_t host) noexcept { return {ip(10, 1, 0, 0).value + host}; }

  /// Connects, holds the connection for a while, resets it, rests, and begins again from another port.
  struct honest {
    simulation& in;
    ipv4::address address;
    std::uint16_t port = 0;
    network::port wire{};
    std::optional<connector> attempt{};
    network::wake timer;
    bool holds = false;
    seq_number iss = 0;

    honest(simulation& s, std::uint32_t i) : in(s), address(address_of(i)), timer(*s.net_, [this] { due(); }) {
      s.net_->add_host(address);
    }
    void rest() {
      attempt.reset();
      holds = false;
      wire.close();
      timer.set(in.net_->now() + in.about(in.against_.think));
    }
    void due() {
      if (holds) {  // done with it
        segment s = segment_to_peer(attempt->tuple());
        s.flags = flag::rst | flag::ack;
        s.seq = iss + 1;
        s.ack = attempt->established().irs + 1;
        wire.send(s);
        return rest();
      }
      if (attempt) return step(attempt->tick(in.net_->now(), wire));
      auto bound = in.net_->connect_port(address, {server_address, 80});
      if (!bound) return rest();
      wire = std::move(bound.port);
      wire.on_arrival([this] { hear(); });
      port = wire.local().port;
      iss = static_cast<seq_number>(in.random_.next());
      attempt.emplace(profile::linux_6_18, four_tuple{server_address, address, 80, port}, iss,
                      static_cast<std::uint32_t>(in.random_.next()));
      ++in.report_.attempts;
      attempt->start(in.net_->now(), wire);
      step(connector_event::none);
    }
    void hear() {
      while (const auto s = wire.receive()) {
        if (!attempt) return;
        if (!holds) {
          step(attempt->receive(*s, in.net_->now(), wire));
          if (!wire.is_open()) return;
        } else if (s->flags.has(flag::rst)) {
          return rest();
        } else if (s->flags.has(flag::syn)) {  // our ACK was lost, or there was no room
          segment ack = segment_to_peer(attempt->tuple());
          ack.flags = flag::ack;
          ack.seq = iss + 1;
          ack.ack = s->seq + 1;
          if (s->options.timestamps) {
            ack.options.timestamps = true;
            ack.options.ts_echo = s->options.ts_value;
            ack.options.ts_value = timestamp_at(in.net_->now(), attempt->established().ts_offset);
          }
          wire.send(ack);
        }
      }
    }
    void step(connector_event e) {
      if (e == connector_event::connected) {
        ++in.report_.connected;
        holds = true;
        timer.set(in.net_->now() + in.about(in.against_.think));
      } else if (e == connector_event::none) {
        timer.set(attempt->next_deadline());
      } else {
        in.report_.refused += e == connector_event::refused ? 1U : 0U;
        rest();
      }
    }
  };

  /// What the listener sends into, and the stack behind it: it only knows which connections there are.
  struct outlet {
    simulation& in;
    send_result send(const segment& s) {
      in.note(s);
      return in.port_.send(s);
    }
    bool make_child(const handshake& h, const segment&) {
      in.children_.emplace(key_number(h.key), false);
      return true;
    }
    void reset_child(const typename L::handle_type& h) { in.end_child(key_of(h)); }
  };

  static const four_tuple& key_of(const four_tuple& h) noexcept { return h; }
  static const four_tuple& key_of(const handshake& h) noexcept { return h.key; }
  static std::uint64_t key_number(const four_tuple& k) noexcept {
    return std::uint64_t{k.peer_address.value} << 16 | k.peer_port;
  }

  instant now() const { return net_->now() + skew_; }
  duration about(duration mean) {
    return 1 + static_cast<duration>(random_.up_to(static_cast<std::uint64_t>(2 * mean)));
  }
  void mix(std::uint64_t w) noexcept {
    report_.digest = (report_.digest ^ w) * 0xff51afd7ed558ccdU;
    report_.digest ^= report_.digest >> 32;
  }
  void note(const segment& s) noexcept {
    mix(std::uint64_t{s.source.port} << 48 | std::uint64_t{s.destination.port} << 32 | s.flags.bits);
    mix(std::uint64_t{s.seq} << 32 | s.ack);
  }

  // -- the server

  void serve() {
    while (const auto s = port_.receive()) {
      note(*s);
      const four_tuple key = four_tuple_of(*s);
      if (const auto child = children_.find(key_number(key)); child != children_.end()) {
        if (s->flags.has(flag::rst)) {
          if (!child->second) forget_waiting(key);
          children_.erase(child);
        }
        continue;
      }
      outlet out{*this};
      const outcome o = tap_.receive(*s, now(), out, {.proven = random_.chance(0.2)});
      mix(static_cast<std::uint64_t>(o.verdict));
      ++report_.verdicts[static_cast<std::size_t>(o.verdict)];
    }
    settle();
  }
  void tick() {
    outlet out{*this};
    const tick_summary t = tap_.tick(now(), out);
    mix(t.timers);
    settle();
  }
  void settle() {
    const std::optional<instant> next = door_.next_deadline();
    timer_->set(next ? std::optional{std::max(*next - skew_, net_->now())} : std::nullopt);
    report_.most_requests = std::max(report_.most_requests, door_.request_count());
  }
  void end_child(const four_tuple& key) {
    children_.erase(key_number(key));
    segment s = segment_to_peer(key);
    s.flags = flag::rst;
    port_.send(s);
  }
  void forget_waiting(const four_tuple& key) {
    std::optional<typename L::handle_type> waiting;
    door_.for_each_waiting([&](const typename L::handle_type& h) {
      if (key_of(h) == key) waiting = h;
    });
    if (waiting) tap_.child_gone(*waiting, now());
  }
  void accept() {
    for (int i = 0; i < 8; ++i) {
      const auto c = tap_.accept(now());
      if (c.status == accept_status::would_block || c.status == accept_status::not_listening) break;
      ++accepted_;
      const four_tuple key = key_of(c.handle);
      const auto child = children_.find(key_number(key));
      if (child == children_.end()) continue;  // it was reset while it waited
      child->second = true;
      report_.served += key.peer_address.value >= address_of(0).value ? 1U : 0U;
      net_->at(net_->now() + about(against_.think), [this, key] {
        const auto still = children_.find(key_number(key));
        if (still != children_.end() && still->second) end_child(key);
      });
    }
  }

  // -- troubles

  /// Calls `f` again and again, `gap` apart on average.
  void every(duration gap, std::function<void()> f) {
    if (gap <= 0) return;
    auto shared = std::make_shared<std::function<void()>>(std::move(f));
    repeat(gap, shared);
  }
  void repeat(duration gap, const std::shared_ptr<std::function<void()>>& f) {
    net_->at(net_->now() + about(gap), [this, gap, f] {
      if (ending_) return;
      (*f)();
      repeat(gap, f);
    });
  }
  segment forged(ipv4::address from, std::uint16_t port, flags f, seq_number seq, seq_number ack = 0) {
    segment s;
    s.source = {from, port};
    s.destination = {server_address, 80};
    s.flags = f;
    s.seq = seq;
    s.ack = ack;
    s.window = 1024;
    if (f.has(flag::syn)) s.options.mss = 1460;
    return s;
  }
  std::uint16_t any_port() { return static_cast<std::uint16_t>(1024 + random_.up_to(60000)); }
  seq_number any_number() { return static_cast<seq_number>(random_.next()); }
  const honest& somebody() { return *hosts_[random_.up_to(hosts_.size() - 1)]; }

  void begin_troubles() {
    every(against_.spoofed_flood,
          [this] { attack_.send(forged({any_number() | 0xc0000000U}, any_port(), flag::syn, any_number())); });
    every(against_.prefix_flood, [this] {
      attack_.send(forged({ip(192, 0, 2, 0).value + static_cast<std::uint32_t>(random_.up_to(255))}, any_port(),
                          flag::syn, any_number()));
    });
    every(against_.duplicate_syns, [this] {
      const honest& h = somebody();
      attack_.send(forged(h.address, h.port, flag::syn, random_.chance(0.5) ? h.iss : any_number()));
    });
    every(against_.reset_storm, [this] {
      const honest& h = somebody();
      const seq_number near = h.iss + static_cast<seq_number>(random_.up_to(4)) - 1;
      attack_.send(forged(h.address, h.port, random_.chance(0.5) ? flag::rst : flag::rst | flag::ack,
                          random_.chance(0.3) ? any_number() : near, any_number()));
    });
    every(against_.ack_storm, [this] {
      const honest& h = somebody();
      attack_.send(forged(h.address, random_.chance(0.5) ? h.port : any_port(), flag::ack, any_number(), any_number()));
    });
    every(against_.slow_acks, [this] {
      const std::uint16_t port = any_port();
      const seq_number iss = any_number();
      auto bound = net_->bind(attacker_address, port, {server_address, 80});
      if (!bound) return;
      auto wire = std::make_shared<network::port>(std::move(bound.port));
      wire->send(forged(attacker_address, port, flag::syn, iss));
      net_->at(net_->now() + about(4 * second), [this, wire, port, iss] {
        std::optional<seq_number> theirs;
        while (const auto s = wire->receive()) {
          if (s->flags.has(flag::syn)) theirs = s->seq;
        }
        if (theirs) wire->send(forged(attacker_address, port, flag::ack, iss + 1, *theirs + 1));
      });
    });
    every(against_.relisten, [this] {
      constexpr int backlogs[] = {0, 1, 3, 16, 64, 511};
      if (door_.listening()) tap_.listen(backlogs[random_.up_to(5)], now());
      settle();
    });
    every(against_.reopen, [this] {
      outlet out{*this};
      killed_ += tap_.close(out, now()).children;
      check(true);
      net_->at(net_->now() + about(second), [this] {
        if (!door_.listening()) tap_.listen(against_.backlog, now());
        settle();
      });
      settle();
    });
    every(against_.retune, [this] {
      tap_.set(tunable::abort_on_overflow, static_cast<std::uint32_t>(random_.up_to(1)), now());
      tap_.set(tunable::syncookies, static_cast<std::uint32_t>(random_.up_to(2)), now());
      tap_.set(tunable::synack_retries, static_cast<std::uint32_t>(random_.up_to(6)), now());
      settle();
    });
    every(against_.clock_jump, [this] {
      skew_ += random_.chance(0.3) ? -about(second) : about(20 * second);
      settle();
    });
    if constexpr (shares_port<L>) {
      every(against_.handover, [this] {
        outlet out{*this};
        killed_ += door_.change(random_, now(), out).children;
        check(true);
        settle();
      });
    }
    application();
  }
  void application() {
    const bool stalls = against_.stall > 0 && random_.chance(0.1);
    net_->at(net_->now() + about(stalls ? against_.stall : against_.accept_every), [this] {
      accept();
      if (!ending_) application();
    });
  }

  // -- the books

  void after_event() {
    ++report_.events;
    check(report_.events % options_.check_every == 0);
  }
  void check(bool whole) {
    const auto found = [this](invariant i) {
      if (report_.broken || (i == invariant::never_request_and_child && !request_beside_child())) return;
      report_.broken = i;
      report_.broken_at = report_.events;
    };
    const auto of = [this](verdict v) { return report_.verdicts[static_cast<std::size_t>(v)]; };
    if (of(verdict::promoted) + of(verdict::cookie_promoted) != accepted_ + killed_ + door_.accept_count()) {
      found(invariant::connections_conserved);
    }
    if (whole) for_each_violation(door_, found, options_.expected);
  }
  /// A connection that was reset keeps its place until it is accepted; meanwhile its peer may begin again.
  bool request_beside_child() const {
    bool found = false;
    door_.for_each_waiting([&](const typename L::handle_type& h) {
      found = found || (children_.contains(key_number(key_of(h))) && door_.find_request(key_of(h)) != nullptr);
    });
    return found;
  }
  /// Everybody stops; what is under way arrives, all timers run out, and nothing may be left.
  void end() {
    ending_ = true;
    hosts_.clear();
    outlet out{*this};
    killed_ += tap_.close(out, now()).children;
    settle();
    net_->run_until_idle(std::size_t{50'000'000});
    check(true);
    if (!report_.broken && (door_.request_count() != 0 || door_.accept_count() != 0 || door_.next_deadline())) {
      report_.broken = invariant::close_is_clean;
      report_.broken_at = report_.events;
    }
  }

  simulation_options options_;
  splitmix64 random_;
  hostility against_;
  simulation_report report_{};
  std::optional<network> net_{};
  L door_;
  recording<L> tap_;
  network::port port_{};
  network::port attack_{};
  std::optional<network::wake> timer_{};
  std::vector<std::unique_ptr<honest>> hosts_{};
  std::unordered_map<std::uint64_t, bool> children_{};  // accepted?
  std::uint64_t accepted_ = 0;
  std::uint64_t killed_ = 0;
  duration skew_ = 0;
  bool ending_ = false;
};

/// One run of `door`, which is copied.
template <observable L>
simulation_report simulate(const L& door, const simulation_options& o = {}) {
  return simulation<L>{door, o}.run();
}

}  // namespace listenq::testing
