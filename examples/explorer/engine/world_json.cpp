// SPDX-License-Identifier: BSL-1.0
#include "world_json.hpp"

#include <algorithm>
#include <listenq/transport/text.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "socket_text.hpp"

namespace explorer {

namespace {

using json = nlohmann::ordered_json;

// What a state has at most of each, so that it can be drawn sixty times a second.
constexpr std::size_t most_requests = 256;
constexpr std::size_t most_waiting = 256;
constexpr std::size_t most_clients = 200;
constexpr std::size_t most_flights = 400;
constexpr std::size_t most_sockets = 100;

template <class T>
json or_null(const std::optional<T>& v) {
  return v ? json(*v) : json(nullptr);
}

/// S, SA, R, RA, A, PA, FA: the letters that the page draws.
std::string letters(flags f) {
  std::string s;
  for (const auto& [bit, letter] : {std::pair{flag::syn, 'S'}, std::pair{flag::fin, 'F'}, std::pair{flag::rst, 'R'},
                                    std::pair{flag::psh, 'P'}, std::pair{flag::ack, 'A'}}) {
    if (f.has(bit)) s += letter;
  }
  return s;
}

json limits_of(const live_world& w) {
  const explanation& e = w.rules().limits;
  return {{"backlog", e.backlog},
          {"accept_slots", e.accept_slots},
          {"request_slots", e.request_slots},
          {"pruned_from", or_null(e.pruning_from)},
          {"young_when_full", or_null(e.young_when_full)},
          {"retries", e.retries},
          {"dies_at", e.dies_at},
          {"why", lab::why(w.rules())}};
}

json queues_of(const lab::queue_state& q) {
  return {{"requests", q.requests}, {"young", q.young}, {"waiting", q.waiting}};
}

const char* state_at_server(const live_world& w, const visitor& v, const std::set<std::uint16_t>& requests) {
  const auto c = w.server().children().find(v.log.port);
  if (c != w.server().children().end() && c->second.connection->state() != connection_state::closed)
    return c->second.accepted ? "ACCEPTED" : "ESTABLISHED";
  if (requests.contains(v.log.port)) return "SYN_RECV";
  return v.cookie ? "COOKIE" : "none";
}

json client_of(const live_world& w, const visitor& v, const std::set<std::uint16_t>& requests) {
  lab::socket_row row = v.last;
  if (v.endpoint != nullptr) row = v.endpoint->socket().value_or(lab::socket_row{});
  const std::string& error = v.log.error.empty() ? v.log.received : v.log.error;
  const bool closed = row.state == connection_state::closed;
  return {{"id", v.id},
          {"port", v.log.port},
          {"kind", v.kind},
          {"state", closed ? "CLOSED" : lab::netstat_name(row)},
          {"server", v.endpoint == nullptr && v.accepted ? "ACCEPTED" : state_at_server(w, v, requests)},
          {"started", v.log.start},
          {"connected", or_null(v.log.connected)},
          {"accepted", or_null(v.accepted)},
          {"error", error.empty() ? json(nullptr) : json(error)},
          {"syns", v.endpoint != nullptr ? v.endpoint->syns_sent() : v.syns},
          {"next", row.timer && v.endpoint != nullptr ? json(w.now() + *row.timer) : json(nullptr)}};
}

json flight_of(const flight& f) {
  std::string text = listenq::to_text(f.flags);
  if (f.bytes > 0) text += ' ' + std::to_string(f.bytes) + (f.bytes == 1 ? " byte" : " bytes");
  return {{"n", f.n},
          {"client", or_null(f.client)},
          {"flood", f.flood},
          {"to_server", f.to_server},
          {"flags", letters(f.flags)},
          {"seq", f.seq},
          {"ack", f.ack},
          {"bytes", f.bytes},
          {"sent", f.sent},
          {"arrives", or_null(f.arrives)},
          {"text", text}};
}

json event_of(const event& e) {
  json j{{"n", e.n}, {"at", e.at}, {"kind", e.kind}, {"client", or_null(e.client)}, {"flood", e.flood}};
  if (std::string_view(e.kind) == "segment") {
    j["to_server"] = e.to_server;
    j["flags"] = letters(e.flags);
    j["seq"] = e.seq;
    j["ack"] = e.ack;
    j["bytes"] = e.bytes;
    j["lost"] = e.lost;
    j["sent"] = e.sent;
  }
  j["verdict"] = e.verdict.empty() ? json(nullptr) : json(e.verdict);
  j["why"] = e.why.empty() ? json(nullptr) : json(e.why);
  j["queues"] = queues_of(e.queues);
  return j;
}

/// "on (640ms, 2)": when a timer is due and how often it was, roughly as `ss -o`.
std::string timer_text(std::optional<duration> due, unsigned times) {
  if (!due) return {};
  return "on (" + std::to_string(std::max<duration>(*due, 0) / millisecond) + "ms, " + std::to_string(times) + ')';
}

json socket(const char* state, std::size_t receive, std::size_t send, const endpoint& local, std::string peer,
            std::string timer) {
  return {{"state", state},          {"recv_q", receive},       {"send_q", send},
          {"local", to_text(local)}, {"peer", std::move(peer)}, {"timer", std::move(timer)}};
}

}  // namespace

json sockets_of(live_world& w, std::size_t most) {
  const lab::queue_state q = w.queues();
  json rows = json::array();
  if (!w.closed()) rows.push_back(socket("LISTEN", q.waiting, q.backlog, {{}, lab::server_port}, "0.0.0.0:*", ""));
  for (const auto& r : w.server().requests()) {
    if (rows.size() >= most) return rows;
    rows.push_back(
        socket("SYN-RECV", 0, 0, r.key.local(), to_text(r.key.peer()), timer_text(r.deadline - w.now(), r.timeouts)));
  }
  for (const auto& [port, c] : w.server().children()) {
    if (rows.size() >= most) return rows;
    if (c.connection->state() == connection_state::closed) continue;
    std::optional<duration> due;
    if (const auto next = c.connection->next_deadline()) due = *next - w.now();
    rows.push_back(socket(state_name(c.connection->state()), c.connection->recv_queue(), c.connection->unacked(),
                          c.key.local(), to_text(c.key.peer()), timer_text(due, 0)));
  }
  return rows;
}

json events_of(const live_world& w, std::uint64_t since, std::size_t most) {
  const auto& all = w.events();
  const std::uint64_t first = all.empty() ? w.next_number() : all.front().n;
  const std::uint64_t from = std::clamp(since, first, w.next_number());
  json list = json::array();
  std::uint64_t next = from;
  for (; next < w.next_number() && list.size() < most; ++next)
    list.push_back(event_of(all[static_cast<std::size_t>(next - first)]));
  json j{{"events", std::move(list)}, {"next", next}};
  if (next < w.next_number()) j["more"] = true;
  if (from > since) j["dropped"] = from - since;
  return j;
}

json state_of(live_world& w) {
  const lab::queue_state q = w.queues();
  const auto requests = w.server().requests();
  std::set<std::uint16_t> ports;
  json request_list = json::array();
  for (const auto& r : requests) {
    const bool flood = r.key.peer_port < lab::first_client_port;
    if (!flood) ports.insert(r.key.peer_port);
    if (request_list.size() >= most_requests) continue;
    request_list.push_back({{"client", or_null(w.client_at(r.key.peer_port))},
                            {"port", r.key.peer_port},
                            {"peer", to_text(r.key.peer_address)},
                            {"flood", flood},
                            {"born", w.born(r.key.peer_port)},
                            {"timeouts", r.timeouts},
                            {"young", r.timeouts == 0},
                            {"deadline", r.deadline}});
  }
  json waiting = json::array();
  for (const auto& [port, since] : w.waiting()) {
    if (waiting.size() >= most_waiting) break;
    const auto c = w.server().children().find(port);
    const bool there = c != w.server().children().end();
    waiting.push_back({{"client", or_null(w.client_at(port))},
                       {"port", port},
                       {"since", since},
                       {"recv_q", there ? c->second.connection->recv_queue() : 0}});
  }
  json clients = json::array();
  const auto& visitors = w.visitors();
  auto from = visitors.end();
  for (std::size_t n = 0; n < most_clients && from != visitors.begin(); ++n) --from;
  for (; from != visitors.end(); ++from) clients.push_back(client_of(w, from->second, ports));
  json wire = json::array();
  const std::vector<flight> flights = w.wire();
  for (std::size_t i = flights.size() > most_flights ? flights.size() - most_flights : 0; i < flights.size(); ++i)
    wire.push_back(flight_of(flights[i]));
  json counters = json::object();
  for (const auto& [name, n] : w.server().counters()) counters[name] = n;
  json causes = json::array();
  for (const lab::cause_line& c : w.server().causes()) {
    json moved = json::object();
    for (const auto& [name, n] : c.moved) moved[name] = n;
    causes.push_back(
        {{"times", c.times}, {"verdict", c.verdict}, {"why", c.why}, {"rule", c.rule}, {"counters", std::move(moved)}});
  }
  const totals& t = w.totals();
  json last = nullptr;
  if (w.last()) last = {{"n", w.last()->n}, {"at", w.last()->at}, {"why", w.last()->why}};
  json queues = queues_of(q);
  queues["request_full"] = q.request_full;
  queues["accept_full"] = q.accept_full;
  queues["why"] = lab::why(q, w.rules());
  return {{"now", w.now()},
          {"preset", w.settings().preset->name},
          {"seed", w.settings().seed},
          {"settings", nullptr},
          {"limits", limits_of(w)},
          {"queues", std::move(queues)},
          {"requests", std::move(request_list)},
          {"accept_queue", std::move(waiting)},
          {"clients", std::move(clients)},
          {"totals",
           {{"clients", t.clients},
            {"connected", t.connected},
            {"refused", t.refused},
            {"timed_out", t.timed_out},
            {"accepted", t.accepted},
            {"stranded", w.stranded()},
            {"turned_away", t.turned_away}}},
          {"wire", std::move(wire)},
          {"ss", sockets_of(w, most_sockets)},
          {"counters", std::move(counters)},
          {"causes", std::move(causes)},
          {"app", {{"accepted", t.accepted}, {"busy_until", or_null(w.busy_until())}, {"stalled", w.stalled()}}},
          {"last", std::move(last)},
          {"next", or_null(w.next_event())},
          {"closed", w.closed()}};
}

}  // namespace explorer
