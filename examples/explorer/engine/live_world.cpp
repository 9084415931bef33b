// SPDX-License-Identifier: BSL-1.0
#include "live_world.hpp"

#include <algorithm>
#include <array>

#include "seeds.hpp"

namespace explorer {

namespace {

constexpr std::uint16_t ports_of_clients = 30'000;  // 30001..60000; then the first ones again
constexpr std::uint16_t first_flood_port = 1024;
constexpr duration wakeup = 50;

std::string seconds(duration d) {
  const std::string micros = std::to_string(d % second);
  std::string s = std::to_string(d / second) + '.' + std::string(6 - micros.size(), '0') + micros;
  while (s.back() == '0') s.pop_back();
  if (s.back() == '.') s.pop_back();
  return s + " s";
}

}  // namespace

live_world::live_world(const world_settings& s)
    : settings_(s),
      net_({.seed = s.seed, .timers = s.preset->kernel.order, .no_route = send_result::sent}),
      plans_(net_),
      server_(s.preset->make(s.preset->kernel, lab::keys_of(s.seed),
                             {.send = [this](const segment& out) { return from_server(out); },
                              .decided = [this](const lab::decision& d) { decided(d); },
                              .stirred = [this](std::uint16_t port, connection_events e) { stirred(port, e); }})),
      wake_(net_, [this] { timers_due(); }),
      arrivals_(s.seed * 0x9e3779b97f4a7c15U + 1),
      floods_(s.seed * 0x9e3779b97f4a7c15U + 2) {
  net_.add_host(lab::loopback);
  net_.on_segment([this](instant at, const segment& seg, bool lost) { saw(at, seg, lost); });
  port_ = std::move(net_.bind(lab::loopback, lab::server_port).port);
  port_.on_arrival([this] { arrived(); });
  flood_port_ = std::move(net_.bind(lab::loopback, first_flood_port - 1).port);
  set_links();
  for (const auto& [t, value] : s.tunables) server_->set(t, value);
  objection_ = listen();
  plan_arrivals();
  plan_flood();
}

// --- time
// ---------------------------------------------------------------------------------------------------------------

bool live_world::advance(instant to, std::size_t events) {
  for (auto next = net_.next_event(); next && *next <= to; next = net_.next_event()) {
    if (events-- == 0) return false;
    net_.step();
  }
  net_.run_until(to);
  settle(now() + 1);
  return true;
}

bool live_world::step() {
  const std::uint64_t before = next_number_;
  for (int quiet = 0; quiet < 100'000 && net_.step(); ++quiet) {
    if (next_number_ != before) return true;
  }
  settle(now() + 1);
  return next_number_ != before;
}

// --- what is written down
// -----------------------------------------------------------------------------------------------

event& live_world::note(const char* kind, std::uint16_t port, std::string why) {
  settle(now());
  event e{.n = next_number_++, .at = now(), .kind = kind, .sent = now(), .why = std::move(why)};
  if (port != 0) e.client = client_at(port);
  e.flood = port != 0 && is_flood(port);
  e.queues = server_->queues();
  events_.push_back(std::move(e));
  if (events_.size() > most_events) events_.pop_front();
  if (!events_.back().why.empty()) last_ = events_.back();
  return events_.back();
}

/// Whatever arrived before `before` and found nobody who would have told of it.
void live_world::settle(instant before) {
  while (!in_air_.empty() && in_air_.begin()->first < before) {
    const flight f = in_air_.begin()->second;
    in_air_.erase(in_air_.begin());
    land(f);
  }
}

void live_world::land(const flight& f) {
  event e{.n = next_number_++,
          .at = f.arrives.value_or(f.sent),
          .kind = "segment",
          .client = f.client,
          .flood = f.flood,
          .to_server = f.to_server,
          .flags = f.flags,
          .seq = f.seq,
          .ack = f.ack,
          .bytes = f.bytes,
          .lost = !f.arrives,
          .sent = f.sent,
          .queues = server_->queues()};
  events_.push_back(std::move(e));
  if (events_.size() > most_events) events_.pop_front();
}

flight live_world::take_off(const segment& s, instant sent, std::optional<instant> arrives) {
  lab::packet p{.at = sent, .segment = s, .lost = !arrives};
  p.payload.assign(s.payload.begin(), s.payload.end());
  p.segment.payload = {};
  const auto n = numbers_.of(p);
  flight f{.n = next_flight_++,
           .port = p.port(),
           .client = client_at(p.port()),
           .flood = is_flood(p.port()),
           .to_server = p.to_server(),
           .flags = s.flags,
           .seq = n.seq,
           .ack = n.ack,
           .bytes = s.payload.size,
           .sent = sent,
           .arrives = arrives,
           .number = s.seq};
  if (packets_.size() >= most_packets) packets_.erase(packets_.begin(), packets_.begin() + most_packets / 4);
  packets_.push_back(std::move(p));
  if (arrives) {
    in_air_.emplace(*arrives, f);
  } else {
    settle(sent);
    land(f);
    lost_.push_back(f);
  }
  while (!lost_.empty() && lost_.front().sent + settings_.rtt < sent) lost_.pop_front();
  return f;
}

/// The one that has just arrived.
flight live_world::find_flight(const segment& s) {
  const bool to_server = s.destination.port == lab::server_port;
  const std::uint16_t port = to_server ? s.source.port : s.destination.port;
  const auto [first, last] = in_air_.equal_range(now());
  for (auto i = first; i != last; ++i) {
    const flight& f = i->second;
    if (f.port != port || f.to_server != to_server || f.flags != s.flags || f.number != s.seq) continue;
    flight found = f;
    in_air_.erase(i);
    return found;
  }
  return {.port = port, .client = client_at(port), .to_server = to_server, .flags = s.flags, .sent = now()};
}

std::vector<flight> live_world::wire() const {
  std::vector<flight> all;
  for (const auto& [at, f] : in_air_) {
    if (at > now()) all.push_back(f);
  }
  for (const flight& f : lost_) {
    if (f.sent + settings_.rtt > now()) all.push_back(f);
  }
  std::sort(all.begin(), all.end(), [](const flight& a, const flight& b) { return a.n < b.n; });
  return all;
}

void live_world::saw(instant at, const segment& s, bool lost) {
  take_off(s, at, lost ? std::nullopt : std::optional(at + settings_.rtt / 2));
}

void live_world::remember(const call& c) {
  if (calls_.size() < most_calls) calls_.push_back(c);
}

// --- the server
// ---------------------------------------------------------------------------------------------------------

/// What goes to an address that nobody has, or nobody of ours, is on the wire, too.
send_result live_world::from_server(const segment& s) {
  if (!is_flood(s.destination.port)) return port_.send(s);
  const instant there = now() + settings_.rtt / 2;
  take_off(s, now(), there);
  if (settings_.flood_answers && !s.flags.has(flag::rst)) {
    segment answer = reset_for(s);
    plans_.at(there, [this, answer] { flood_port_.send(answer); });
  }
  return send_result::sent;
}

void live_world::arrived() {
  while (const auto s = port_.receive()) {
    const flight f = find_flight(*s);
    settle(now());
    land(f);
    events_.back().at = now();
    events_.back().lost = false;
    current_ = events_.back().n;
    if (server_->receive(*s, now())) {
      remember(
          {.kind = call::what::segment, .at = now(), .from = s->source, .flags = s->flags, .bytes = s->payload.size});
    }
    const std::uint64_t first = events_.front().n;
    if (*current_ >= first) events_[static_cast<std::size_t>(*current_ - first)].queues = server_->queues();
    current_.reset();
  }
  plan_accept();
  rearm();
}

void live_world::decided(const lab::decision& d) {
  std::string reason = lab::why(d, rules_);
  if (!reason.empty() && reason.front() >= 'a' && reason.front() <= 'z' && !reason.starts_with("qlen"))
    reason.front() = static_cast<char>(reason.front() - 'a' + 'A');
  reason += '.';
  if (d.is_timer) {
    event& e = note("timer", d.port, reason);
    e.verdict = name_of(d.timer.verdict);
    e.queues = d.after;
    return;
  }
  const std::uint64_t first = events_.front().n;
  if (current_ && *current_ >= first) {
    event& e = events_[static_cast<std::size_t>(*current_ - first)];
    e.verdict = name_of(d.segment.verdict);
    e.why = reason;
    e.queues = d.after;
    last_ = e;
  }
  visitor* const v = visitor_at(d.port);
  switch (d.segment.verdict) {
    case verdict::admitted:
      born_[d.port] = now();
      if (v != nullptr) v->cookie = false;
      break;
    case verdict::cookie_sent:
      if (v != nullptr) v->cookie = true;
      break;
    case verdict::promoted:
    case verdict::cookie_promoted:
    case verdict::fast_opened:
      waiting_.emplace_back(d.port, now());
      if (v != nullptr) v->cookie = false;
      break;
    default:
      break;
  }
}

void live_world::stirred(std::uint16_t port, connection_events e) {
  lab::stack::child* const c = server_->find(port);
  if (c != nullptr && c->accepted && e.has(connection_event::readable)) read(*c);
}

void live_world::timers_due() {
  server_->tick(now());
  plan_accept();
  rearm();
}

std::string live_world::listen() {
  const listen_result r = server_->listen(settings_.backlog, now());
  if (!r) {
    return "listen(" + std::to_string(settings_.backlog) + ") needs room for " + std::to_string(r.needed) +
           " entries and there is room for " + std::to_string(r.have);
  }
  closed_ = false;
  at_listen_ = settings_.tunables;
  find_rules();
  note("listen", 0, lab::why(rules_));
  remember({.kind = call::what::listen, .at = now(), .backlog = settings_.backlog});
  plan_accept();
  rearm();
  return {};
}

/// somaxconn and max_syn_backlog count as they were at listen(), all others as they are.
void live_world::find_rules() {
  lab::tunable_values_set set = settings_.tunables;
  for (const tunable t : {tunable::somaxconn, tunable::max_syn_backlog}) {
    set.erase(t);
    if (const auto i = at_listen_.find(t); i != at_listen_.end()) set.insert(*i);
  }
  rules_ = lab::rules_of(*settings_.preset, settings_.backlog, set);
  rules_.max_syn_backlog = settings_.value(tunable::max_syn_backlog);
  rules_.limits.request_slots = server_->queues().request_limit;
}

void live_world::set_links() { net_.set_default_link({.delay = settings_.rtt / 2, .loss = settings_.loss}); }

// --- the application
// ----------------------------------------------------------------------------------------------------

void live_world::plan_accept() {
  if (accept_planned_ || closed_ || settings_.service <= 0 || server_->queues().waiting == 0) return;
  instant when = std::max(now(), free_at_);
  if (settings_.stalled && settings_.stalled->covers(when)) when = settings_.stalled->from + settings_.stalled->length;
  accept_planned_ = true;
  plans_.at(when, [this, round = accept_round_] {
    if (round != accept_round_) return;
    accept_planned_ = false;
    if (closed_ || settings_.service <= 0) return;
    if (!stalled() && accept_one()) free_at_ = now() + settings_.service;
    plan_accept();
    rearm();
  });
}

bool live_world::accept_one() {
  lab::stack::child* const c = server_->accept(now());
  std::optional<instant> since;
  const std::uint16_t port = c != nullptr ? c->key.peer_port : std::uint16_t{0};
  while (!waiting_.empty() && waiting_.size() > server_->queues().waiting) {
    if (waiting_.front().first == port) since = waiting_.front().second;
    waiting_.pop_front();
  }
  if (c == nullptr) return false;
  remember({.kind = call::what::accept, .at = now()});
  ++totals_.accepted;
  if (visitor* v = visitor_at(port)) v->accepted = now();
  note("accept", port,
       "accept() took the connection that had waited longest" +
           (since ? ", " + seconds(now() - *since) : std::string()) + ".");
  read(*c);
  return true;
}

void live_world::read(lab::stack::child& c) {
  std::array<std::byte, 256> bytes{};
  while (server_->read(c, bytes.data(), bytes.size(), now()) > 0) {
  }
}

std::optional<instant> live_world::busy_until() const {
  return free_at_ > now() ? std::optional(free_at_) : std::nullopt;
}

// --- the clients
// --------------------------------------------------------------------------------------------------------

std::optional<std::uint32_t> live_world::client_at(std::uint16_t port) const {
  const auto i = ids_.find(port);
  return i == ids_.end() ? std::nullopt : std::optional(i->second);
}

visitor* live_world::visitor_at(std::uint16_t port) {
  const auto id = client_at(port);
  if (!id) return nullptr;
  const auto v = visitors_.find(*id);
  return v == visitors_.end() ? nullptr : &v->second;
}

instant live_world::born(std::uint16_t port) const {
  const auto i = born_.find(port);
  return i == born_.end() ? 0 : i->second;
}

visitor* live_world::begin(const char* kind, bool mute) {
  const auto port = static_cast<std::uint16_t>(lab::first_client_port + next_id_ % ports_of_clients);
  if (!make_room()) return nullptr;
  if (const visitor* old = visitor_at(port); old != nullptr && old->endpoint != nullptr) return nullptr;
  if (server_->find(port) != nullptr) return nullptr;
  const std::uint32_t id = next_id_++;
  ids_[port] = id;
  visitor& v = visitors_[id];
  v.id = id;
  v.kind = kind;
  lab::client_plan p;
  p.profile = settings_.preset->kernel;
  p.port = port;
  p.iss = lab::client_isn(settings_.seed, port);
  p.ts_offset = p.iss * 0x9e3779b1U;
  p.wakeup = wakeup;
  p.data_after = settings_.data_after;
  p.mute = mute;
  p.heard = [this](const segment& s) {
    const flight f = find_flight(s);
    settle(now());
    land(f);
    events_.back().at = now();
    events_.back().lost = false;
  };
  p.changed = [this, id] { changed(id); };
  v.endpoint = std::make_unique<lab::client>(net_, plans_, std::move(p), v.log);
  ++present_;
  ++totals_.clients;
  v.endpoint->start();
  if (settings_.patience && !mute) plans_.after(*settings_.patience, [this, id] { lose_patience(id); });
  return &v;
}

/// Those that are done with go first, then the oldest, but never one that waits for accept().
bool live_world::make_room() {
  if (present_ < most_visitors) return true;
  const auto waits = [this](const visitor& v) {
    const auto c = server_->children().find(v.log.port);
    return c != server_->children().end() && !c->second.accepted &&
           c->second.connection->state() != connection_state::closed;
  };
  std::size_t gone = 0;
  for (const bool any : {false, true}) {
    for (auto& [id, v] : visitors_) {
      if (gone >= most_visitors / 20) break;
      const bool done = !v.log.error.empty() || (v.accepted && now() - *v.accepted > 5 * second);
      if (v.endpoint == nullptr || waits(v) || (!any && !done)) continue;
      retire(v);
      ++gone;
    }
    if (gone > 0) break;
  }
  for (auto i = visitors_.begin(); visitors_.size() > present_ + most_remembered && i != visitors_.end();) {
    i = i->second.endpoint == nullptr ? visitors_.erase(i) : std::next(i);
  }
  return gone > 0;
}

void live_world::retire(visitor& v) {
  v.last = v.endpoint->socket().value_or(lab::socket_row{});
  v.syns = v.endpoint->syns_sent();
  v.endpoint.reset();
  --present_;
  server_->forget(v.log.port);
}

void live_world::changed(std::uint32_t id) {
  visitor& v = visitors_.at(id);
  if (v.log.connected && !v.counted_connected) {
    v.counted_connected = true;
    ++totals_.connected;
    note("connect", v.log.port,
         "connect() has returned after " + seconds(now() - v.log.start) + ": the client believes itself connected.");
  }
  const std::string& error = v.log.error.empty() ? v.log.received : v.log.error;
  if (error.empty() || v.counted_failed) return;
  v.counted_failed = true;
  if (error == "ETIMEDOUT") ++totals_.timed_out;
  if (error == "ECONNREFUSED") ++totals_.refused;
  note("error", v.log.port,
       v.log.connected ? "The client's connection ended with " + error + "."
                       : "connect() has failed with " + error + " after " + seconds(now() - v.log.start) + ".");
}

void live_world::lose_patience(std::uint32_t id) {
  const auto i = visitors_.find(id);
  if (i == visitors_.end() || i->second.endpoint == nullptr || i->second.accepted) return;
  if (i->second.log.error.empty() && i->second.log.received.empty()) i->second.endpoint->give_up();
}

void live_world::plan_arrivals() {
  ++arrival_round_;
  if (settings_.rate <= 0) return;
  const duration gap = arrivals_.gap(settings_.rate / settings_.burst);
  plans_.after(gap, [this, round = arrival_round_] {
    if (round != arrival_round_) return;
    for (unsigned i = 0; i < settings_.burst; ++i) {
      if (begin("arrival", false) == nullptr) ++totals_.turned_away;
    }
    plan_arrivals();
  });
}

void live_world::plan_flood() {
  ++flood_round_;
  if (settings_.flood <= 0) return;
  plans_.after(floods_.gap(settings_.flood), [this, round = flood_round_] {
    if (round != flood_round_) return;
    flood_once();
    plan_flood();
  });
}

/// One SYN from 10.0.0.0/8.
void live_world::flood_once() {
  segment s;
  s.source.address.value = 10U << 24 | (floods_.draw() >> 8);
  const std::uint16_t range = lab::server_port - first_flood_port;
  s.source.port = static_cast<std::uint16_t>(first_flood_port + floods_.draw() % range);
  s.destination = {lab::loopback, lab::server_port};
  s.seq = floods_.draw();
  s.flags = flag::syn;
  s.window = 1024;
  s.options.mss = 1460;
  flood_port_.send(s);
}

std::uint64_t live_world::stranded() const {
  std::uint64_t n = 0;
  for (const auto& [id, v] : visitors_) {
    if (v.endpoint == nullptr || !v.endpoint->connected()) continue;
    const auto row = v.endpoint->socket();
    if (!row || row->state != connection_state::established) continue;
    const auto c = server_->children().find(v.log.port);
    if (c == server_->children().end() || c->second.connection->state() == connection_state::closed) ++n;
  }
  return n;
}

// --- what one can do to it
// ----------------------------------------------------------------------------------------------

std::string live_world::act(deed what, std::optional<std::uint32_t> client, const char* kind) {
  constexpr std::size_t much = 100'000;
  if (what == deed::syn || what == deed::raw_syn) {
    if (client && *client < next_id_) return "client " + std::to_string(*client) + " has called connect() already";
    if (client && *client > next_id_) return "the next client is number " + std::to_string(next_id_);
    return begin(kind, what == deed::raw_syn) == nullptr ? "there is no room for another client" : "";
  }
  if (what == deed::accept) {
    if (closed_) return "nobody listens";
    const std::uint32_t before = server_->queues().waiting;
    while (server_->queues().waiting > 0 && !accept_one()) {
    }
    rearm();
    return before > 0 ? "" : "no connection waits for accept()";
  }
  if (what == deed::tick) {
    const std::optional<instant> due = server_->next_deadline();
    if (!due) return "no timer of the server is running";
    advance(std::max(*due, now()), much);
    return {};
  }
  if (what == deed::close) {
    if (closed_) return "nobody listens";
    note("close", 0, "The server has closed its listening socket.");
    closed_ = true;
    remember({.kind = call::what::close, .at = now()});
    server_->close(now());
    waiting_.clear();
    rearm();
    return {};
  }
  if (what == deed::listen) return listen();

  if (!client) return "which client?";
  const auto i = visitors_.find(*client);
  if (i == visitors_.end() || i->second.endpoint == nullptr)
    return "there is no client " + std::to_string(*client) + (*client < next_id_ ? " any more" : "");
  lab::client& c = *i->second.endpoint;
  const std::string who = "client " + std::to_string(*client);
  if (what == deed::ack) return c.acknowledge() ? "" : who + " has no SYN-ACK to acknowledge";
  if (what == deed::data) return c.speak() ? "" : who + " has no connection to write to";
  return c.reset() ? "" : who + " has nothing to reset";
}

std::string live_world::change(const world_settings& next) {
  const world_settings old = settings_;
  settings_ = next;
  const auto say = [this](const std::string& what, const std::string& value) {
    note("set", 0, what + " is " + value + " now.");
  };
  for (std::size_t i = 0; i < tunable_count; ++i) {
    const auto t = static_cast<tunable>(i);
    if (old.value(t) == next.value(t)) continue;
    server_->set(t, next.value(t));
    // What a program begins with is what is in force when it is written; it takes this one back first.
    const bool first = std::none_of(calls_.begin(), calls_.end(),
                                    [t](const call& c) { return c.kind == call::what::set && c.which == t; });
    if (first) calls_.insert(calls_.begin(), {.kind = call::what::set, .which = t, .value = old.value(t)});
    remember({.kind = call::what::set, .at = now(), .which = t, .value = next.value(t)});
    say(name_of(t), std::to_string(next.value(t)));
  }
  if (old.rtt != next.rtt || old.loss != next.loss) set_links();
  if (old.rtt != next.rtt) say("The round trip", seconds(next.rtt));
  if (old.loss != next.loss) say("Loss", std::to_string(static_cast<int>(next.loss * 1000 + 0.5)) + " in 1000");
  if (old.rate != next.rate || old.burst != next.burst) {
    plan_arrivals();
    say("Arrivals", "another rate");
  }
  if (old.flood != next.flood) plan_flood();
  if (old.flood != next.flood || old.flood_answers != next.flood_answers) say("Flood", next.flood > 0 ? "on" : "off");
  if (old.data_after != next.data_after) say("Data", next.data_after ? "sent" : "not sent");
  if (old.patience != next.patience) say("A client's patience", next.patience ? seconds(*next.patience) : "endless");
  if (old.service != next.service || old.stalled != next.stalled) {
    ++accept_round_;
    accept_planned_ = false;
    say("accept()", next.service > 0 ? "called every " + seconds(next.service) : "not called");
    plan_accept();
  }
  find_rules();
  if (old.backlog == next.backlog || closed_) return {};
  std::string objection = listen();
  if (!objection.empty()) settings_.backlog = old.backlog;
  return objection;
}

}  // namespace explorer
