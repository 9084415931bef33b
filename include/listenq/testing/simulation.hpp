// SPDX-License-Identifier: BSL-1.0
// simulation: one listener against thousands of honest hosts and whatever a `hostility` adds, on the in-memory network,
// in virtual time, deterministic: the same seed gives the same run, event for event, on every machine.
// After every event the books must balance; now and then every invariant of a state is checked; at the end nothing may
// be left. It is no model: it does not know which verdict is due (explore.hpp and the property tests ask that).
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/handshake.hpp>
#include <listenq/outcome.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/segment.hpp>
#include <listenq/testing/hostility.hpp>
#include <listenq/testing/invariants.hpp>
#include <listenq/testing/recording.hpp>
#include <listenq/testing/simulation/attackers.hpp>
#include <listenq/testing/simulation/honest_host.hpp>
#include <listenq/testing/simulation/options.hpp>
#include <listenq/testing/simulation/world.hpp>
#include <listenq/transport/in_memory.hpp>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace listenq::testing {

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
      : options_(o), world_(o, shares_port<L>), door_(std::move(door)), tap_(door_, options_.log) {}

  simulation_report run() {
    port_.on_arrival([this] { serve(); });
    tap_.listen(against().backlog, now());
    for (std::uint32_t i = 0; i < against().hosts; ++i) {
      hosts_.push_back(std::make_unique<detail::honest_host>(world_, i));
      hosts_.back()->rest();
    }
    begin_troubles();
    while (!report().broken && report().events < options_.events && net().now() < options_.length && net().step()) {
      after_event();
    }
    if (!report().broken) end();
    report().time = net().now();
    return report();
  }

 private:
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

  network& net() noexcept { return world_.net; }
  const hostility& against() const noexcept { return world_.against; }
  simulation_report& report() noexcept { return world_.report; }
  instant now() const { return world_.net.now() + skew_; }
  void mix(std::uint64_t w) noexcept {
    report().digest = (report().digest ^ w) * 0xff51afd7ed558ccdU;
    report().digest ^= report().digest >> 32;
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
      const outcome o = tap_.receive(*s, now(), out, {.proven = world_.random.chance(0.2)});
      mix(static_cast<std::uint64_t>(o.verdict));
      ++report().verdicts[static_cast<std::size_t>(o.verdict)];
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
    timer_.set(next ? std::optional{std::max(*next - skew_, net().now())} : std::nullopt);
    report().most_requests = std::max(report().most_requests, door_.request_count());
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
      report().served += key.peer_address.value >= detail::world::host(0).value ? 1U : 0U;
      net().at(net().now() + world_.about(against().think), [this, key] {
        const auto still = children_.find(key_number(key));
        if (still != children_.end() && still->second) end_child(key);
      });
    }
  }

  // -- troubles

  void begin_troubles() {
    attackers_.begin();
    world_.every(against().relisten, [this] {
      constexpr int backlogs[] = {0, 1, 3, 16, 64, 511};
      if (door_.listening()) tap_.listen(backlogs[world_.random.up_to(5)], now());
      settle();
    });
    world_.every(against().reopen, [this] {
      outlet out{*this};
      killed_ += tap_.close(out, now()).children;
      check(true);
      net().at(net().now() + world_.about(second), [this] {
        if (!door_.listening()) tap_.listen(against().backlog, now());
        settle();
      });
      settle();
    });
    world_.every(against().retune, [this] {
      tap_.set(tunable::abort_on_overflow, static_cast<std::uint32_t>(world_.random.up_to(1)), now());
      tap_.set(tunable::syncookies, static_cast<std::uint32_t>(world_.random.up_to(2)), now());
      tap_.set(tunable::synack_retries, static_cast<std::uint32_t>(world_.random.up_to(6)), now());
      settle();
    });
    world_.every(against().clock_jump, [this] {
      skew_ += world_.random.chance(0.3) ? -world_.about(second) : world_.about(20 * second);
      settle();
    });
    if constexpr (shares_port<L>) {
      world_.every(against().handover, [this] {
        outlet out{*this};
        killed_ += door_.change(world_.random, now(), out).children;
        check(true);
        settle();
      });
    }
    application();
  }
  void application() {
    const bool stalls = against().stall > 0 && world_.random.chance(0.1);
    net().at(net().now() + world_.about(stalls ? against().stall : against().accept_every), [this] {
      accept();
      if (!world_.ending) application();
    });
  }

  // -- the books

  void after_event() {
    ++report().events;
    check(report().events % options_.check_every == 0);
  }
  void check(bool whole) {
    const auto found = [this](invariant i) {
      if (report().broken || (i == invariant::never_request_and_child && !request_beside_child())) return;
      report().broken = i;
      report().broken_at = report().events;
    };
    const auto of = [this](verdict v) { return report().verdicts[static_cast<std::size_t>(v)]; };
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
    world_.ending = true;
    hosts_.clear();
    outlet out{*this};
    killed_ += tap_.close(out, now()).children;
    settle();
    net().run_until_idle(std::size_t{50'000'000});
    check(true);
    if (!report().broken && (door_.request_count() != 0 || door_.accept_count() != 0 || door_.next_deadline())) {
      report().broken = invariant::close_is_clean;
      report().broken_at = report().events;
    }
  }

  simulation_options options_;
  detail::world world_;
  L door_;
  recording<L> tap_;
  network::port port_{net().bind(detail::world::server, 80).port};
  network::wake timer_{net(), [this] { tick(); }};
  std::vector<std::unique_ptr<detail::honest_host>> hosts_{};
  detail::attackers attackers_{world_, hosts_};
  std::unordered_map<std::uint64_t, bool> children_{};  // accepted?
  std::uint64_t accepted_ = 0;
  std::uint64_t killed_ = 0;
  duration skew_ = 0;
};

/// One run of `door`, which is copied.
template <observable L>
simulation_report simulate(const L& door, const simulation_options& o = {}) {
  return simulation<L>{door, o}.run();
}

}  // namespace listenq::testing
