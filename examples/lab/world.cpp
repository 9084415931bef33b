// SPDX-License-Identifier: BSL-1.0
#include "world.hpp"

#include <algorithm>

#include "agenda.hpp"
#include "client.hpp"
#include "seeds.hpp"
#include "server_program.hpp"

namespace lab {

namespace {

constexpr instant preload_from = 100 * millisecond;
constexpr instant preload_until = 280 * millisecond;

class world {
 public:
  world(const settings& s, record& out)
      : settings_(s),
        out_(out),
        net_({.seed = s.seed, .timers = s.preset->kernel.order}),
        plans_(net_),
        kernel_(s.preset->make(s.preset->kernel, keys_of(s.seed), hooks())),
        wake_(net_, [this] { timers_due(); }) {
    net_.add_host(loopback);
    net_.on_segment([this](instant at, const segment& seg, bool lost) { saw(at, seg, lost); });
    port_ = std::move(net_.bind(loopback, server_port).port);
    port_.on_arrival([this] { arrived(); });
    for (const auto& [t, value] : s.tunables) kernel_->set(t, value);
    kernel_->listen(s.backlog, 0);
    program_.emplace(net_, plans_, *kernel_, settings_, out_, [this] { rearm(); });
    note_depths();
  }

  void run() {
    plan_preload();
    plan_clients();
    for (const moment& m : moments_of(settings_)) {
      net_.run_until(m.at);
      out_.snapshots.push_back(look(m));
    }
    net_.run_until(end_of(settings_));
    count();
  }

 private:
  stack_hooks hooks() {
    return {.send = [this](const segment& s) { return port_.send(s); },
            .decided = [this](const decision& d) { out_.decisions.push_back(d); },
            .stirred = [this](std::uint16_t port, connection_events e) { program_->stirred(port, e); }};
  }

  client_plan plan_for(std::uint16_t port) {
    client_plan p;
    p.profile = settings_.preset->kernel;
    p.port = port;
    p.iss = client_isn(settings_.seed, port);
    p.ts_offset = p.iss * 0x9e3779b1U;
    p.wakeup = settings_.wakeup;
    return p;
  }

  void plan_preload() {
    preload_logs_.resize(settings_.preload);
    for (unsigned i = 0; i < settings_.preload; ++i) {
      const auto port = static_cast<std::uint16_t>(first_preload_port + i);
      preloads_.push_back(std::make_unique<client>(net_, plans_, plan_for(port), preload_logs_[i]));
      const duration step = (preload_until - preload_from) / settings_.preload;
      plans_.at(preload_from + i * step, [c = preloads_.back().get()] { c->start(); });
    }
    plans_.at(preload_until, [this] {
      for (const auto& c : preloads_) {
        if (!c->connected()) c->vanish();
      }
      net_.set_default_link({.delay = settings_.rtt / 2, .loss = settings_.loss});
    });
  }

  void plan_clients() {
    const unsigned n = client_count(settings_);
    out_.clients.resize(n);
    for (unsigned i = 0; i < n; ++i) {
      const auto port = static_cast<std::uint16_t>(first_client_port + i);
      client_plan p = plan_for(port);
      p.data_after = settings_.data_after;
      p.echo = settings_.echo;
      if (settings_.fast_open) p.known = &known_;
      p.lost = [this](const segment& s) {
        if (net_.now() >= settings_.lose_acks_until || s.flags.has(flag::syn)) return false;
        saw(net_.now(), s, true);
        return true;
      };
      clients_.push_back(std::make_unique<client>(net_, plans_, std::move(p), out_.clients[i]));
      plans_.at(start_of(settings_, i), [this, i] {
        if (i == 0) baseline_ = kernel_->counters();
        clients_[i]->start();
      });
    }
  }

  void arrived() {
    while (const auto s = port_.receive()) kernel_->receive(*s, net_.now());
    program_->look();
    rearm();
  }

  void timers_due() {
    kernel_->tick(net_.now());
    program_->look();
    rearm();
  }

  void rearm() {
    wake_.set(kernel_->next_deadline());
    note_depths();
  }

  void note_depths() {
    const queue_state now = kernel_->queues();
    if (out_.depths.empty() || !same_depths(out_.depths.back().second, now)) out_.depths.emplace_back(net_.now(), now);
  }

  static bool same_depths(const queue_state& a, const queue_state& b) {
    return a.requests == b.requests && a.young == b.young && a.waiting == b.waiting;
  }

  void saw(instant at, const segment& s, bool lost) {
    packet p{.at = at, .segment = s, .lost = lost};
    p.payload.assign(s.payload.begin(), s.payload.end());
    p.segment.payload = {};
    p.preload = p.port() >= first_preload_port;
    out_.packets.push_back(std::move(p));
  }

  snapshot look(const moment& m) const {
    snapshot s{.name = m.name, .at = net_.now(), .queues = kernel_->queues()};
    s.sockets.push_back({.local = {{}, server_port},
                         .listens = true,
                         .receive_queue = s.queues.waiting,
                         .send_queue = s.queues.backlog});
    for (const stack::request_type& r : kernel_->requests()) {
      s.sockets.push_back({.local = r.key.local(),
                           .remote = r.key.peer(),
                           .state = connection_state::syn_received,
                           .timer = std::max<duration>(r.deadline - net_.now(), 0),
                           .retransmits = r.timeouts});
    }
    for (const auto& [port, c] : kernel_->children()) {
      if (c.connection->state() == connection_state::closed) continue;
      socket_row row{.local = c.key.local(),
                     .remote = c.key.peer(),
                     .state = c.connection->state(),
                     .receive_queue = c.connection->recv_queue(),
                     .send_queue = c.connection->unacked()};
      if (const auto next = c.connection->next_deadline()) row.timer = *next - net_.now();
      s.sockets.push_back(row);
    }
    for (const auto* group : {&preloads_, &clients_}) {
      for (const auto& c : *group) {
        if (const auto row = c->socket()) s.sockets.push_back(*row);
      }
    }
    return s;
  }

  /// Both ends share a kernel, as in the recordings, so both are counted.
  void count() {
    counts& n = out_.counters;
    n = kernel_->counters();
    for (const auto& [name, value] : baseline_) n[name] -= value;
    out_.causes = kernel_->causes();
    n["TcpOutRsts"] = 0;
    std::uint64_t data = 0;
    std::uint64_t repetitions = 0;
    for (const packet& p : out_.packets) {
      if (p.preload) continue;
      ++n["TcpOutSegs"];
      if (!p.lost) ++n["TcpInSegs"];
      if (p.segment.flags.has(flag::rst)) ++n["TcpOutRsts"];
      if (!p.payload.empty()) ++data;
    }
    for (const auto& c : clients_) {
      ++n["TcpActiveOpens"];
      repetitions += c->syn_repetitions() + c->data_repetitions();
      data -= c->data_repetitions();
      n["TcpExtTCPSynRetrans"] += c->syn_repetitions();
      n["TcpExtTCPTimeouts"] += c->timeouts();
      if (c->log().error == "ETIMEDOUT") ++n["TcpAttemptFails"], ++n["TcpExtTCPAbortOnTimeout"];
      if (c->log().error == "ECONNREFUSED") ++n["TcpAttemptFails"];
    }
    n["TcpRetransSegs"] += repetitions;
    n["TcpOutSegs"] -= repetitions;
    n["TcpExtTCPOrigDataSent"] = data;
    for (const socket_row& r : look({}).sockets) {
      const bool preload = std::max(r.local.port, r.remote.port) >= first_preload_port;
      if (!r.listens && !preload && r.state == connection_state::established) ++n["TcpCurrEstab"];
    }
    std::erase_if(n, [](const auto& entry) { return entry.second == 0; });
  }

  const settings& settings_;
  record& out_;
  network net_;
  agenda plans_;
  network::port port_{};
  std::unique_ptr<stack> kernel_;
  network::wake wake_;
  std::optional<server_program> program_;
  std::vector<std::unique_ptr<client>> clients_;
  std::vector<client_log> preload_logs_;
  std::vector<std::unique_ptr<client>> preloads_;
  counts baseline_{};
  fast_open_cache<ipv4, 1> known_{};  // what the client's kernel remembers of the server
};

}  // namespace

record simulate(const settings& s) {
  record out;
  world(s, out).run();
  return out;
}

std::string objection(const settings& s) {
  const std::unique_ptr<stack> k = s.preset->make(s.preset->kernel, {}, {});
  for (const auto& [t, value] : s.tunables) k->set(t, value);
  const listen_result r = k->listen(s.backlog, 0);
  if (r) return {};
  return "--backlog " + std::to_string(s.backlog) + ": needs room for " + std::to_string(r.needed) +
         " entries and this machine has room for " + std::to_string(r.have);
}

}  // namespace lab
