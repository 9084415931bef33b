// SPDX-License-Identifier: BSL-1.0
#include "json_record.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "segment_text.hpp"

namespace lab {

namespace {

using json = nlohmann::ordered_json;

double seconds(duration d) { return static_cast<double>(d) / 1e6; }
json seconds_or_null(const std::optional<instant>& t) { return t ? json(seconds(*t)) : json(nullptr); }
json text_or_null(const std::string& s) { return s.empty() ? json(nullptr) : json(s); }

const char* word_for(accept_rule::kind k) {
  switch (k) {
    case accept_rule::kind::never:
      return "never";
    case accept_rule::kind::always:
      return "accept";
    case accept_rule::kind::from:
      return "late";
    case accept_rule::kind::once:
      return "once";
  }
  return "?";
}

json config_of(const settings& s) {
  const preset_entry& p = *s.preset;
  const auto value = [&](tunable t) { return p.value(t, s.tunables); };
  json c{{"preset", p.name},
         {"backlog", s.backlog},
         {"clients", client_count(s)},
         {"abort_on_overflow", value(tunable::abort_on_overflow)},
         {"syncookies", value(tunable::syncookies)},
         {"accept", word_for(s.accept.when)}};
  if (s.accept.at > 0) c["late_s"] = seconds(s.accept.at);
  c["gap_s"] = seconds(s.gap);
  c["dur_s"] = seconds(end_of(s));
  c["data_after_s"] = seconds_or_null(s.data_after);
  c["echo"] = s.echo;
  c["rtt_s"] = seconds(s.rtt);
  c["wakeup_s"] = seconds(s.wakeup);
  c["loss"] = s.loss;
  c["seed"] = s.seed;
  c["preload"] = s.preload;
  c["lose_acks_until_s"] = seconds(s.lose_acks_until);
  c["sysctls"] = {{"net.ipv4.tcp_max_syn_backlog", std::to_string(value(tunable::max_syn_backlog))},
                  {"net.ipv4.tcp_synack_retries", std::to_string(value(tunable::synack_retries))},
                  {"net.ipv4.tcp_syn_retries", std::to_string(p.kernel.syn_retries - p.kernel.syn_linear)},
                  {"net.ipv4.tcp_syn_linear_timeouts", std::to_string(p.kernel.syn_linear)},
                  {"net.core.somaxconn", std::to_string(value(tunable::somaxconn))},
                  {"net.ipv4.tcp_timestamps", "1"}};
  return c;
}

json client_of(const client_log& c, std::size_t i) {
  return {{"i", i},
          {"port", c.port},
          {"start", seconds(c.start)},
          {"ok", seconds_or_null(c.connected)},
          {"err", text_or_null(c.error)},
          {"sent", seconds_or_null(c.sent)},
          {"recv", text_or_null(c.received)}};
}

json snapshot_of(const snapshot& s, json& counts) {
  json server = json::object();
  json clients = json::object();
  for (const socket_row& r : s.sockets) {
    if (r.listens) continue;
    const std::string port = std::to_string(r.is_servers() ? r.remote.port : r.local.port);
    (r.is_servers() ? server : clients)[port] = {state_name(r.state), r.receive_queue, r.send_queue};
    json& n = counts[std::string(r.is_servers() ? "server " : "client ") + state_name(r.state)];
    n = n.is_null() ? 1 : n.get<int>() + 1;
  }
  return {{"listen", {{"recvq", s.queues.waiting}, {"sendq", s.queues.backlog}}},
          {"server", server},
          {"client", clients},
          {"t", seconds(s.at)}};
}

std::string kind_of(const packet& p) {
  const flags f = p.segment.flags;
  if (f.has(flag::rst)) return "RST";
  if (f.has(flag::syn)) return f.has(flag::ack) ? "SYNACK" : "SYN";
  if (!p.payload.empty()) return "DATA";
  return f.has(flag::fin) ? "FIN" : "ACK";
}

void add_packets(json& j, const record& r) {
  json rows = json::array();
  json counts = json::object();
  relative_numbers numbers;
  std::optional<instant> first;
  std::map<std::uint16_t, instant> first_syn;
  std::set<std::tuple<std::uint16_t, bool, std::string, seq_number, std::size_t>> seen;
  for (const packet& p : r.packets) {
    if (p.preload) continue;
    if (!first) first = p.at;
    const instant began = first_syn.try_emplace(p.port(), p.at).first->second;
    const auto n = numbers.of(p);
    const char* const way = p.to_server() ? "c>s" : "s>c";
    const std::string flags = letters_of(p.segment.flags);
    rows.push_back(
        {p.at - *first, p.at - began, p.port() - first_client_port, way, flags, n.seq, n.ack, p.payload.size()});
    const std::string kind = kind_of(p);
    const bool again = !seen.insert({p.port(), p.to_server(), flags, n.seq, p.payload.size()}).second;
    json& count = counts[std::string(way) + ' ' + kind + (again && kind != "ACK" ? "_rexmit" : "")];
    count = count.is_null() ? 1 : count.get<int>() + 1;
  }
  j["packets"] = std::move(rows);
  j["wire_counts"] = std::move(counts);
}

}  // namespace

json causes_of(const std::vector<cause_line>& causes) {
  json list = json::array();
  for (const cause_line& c : causes) {
    list.push_back(
        {{"times", c.times}, {"verdict", c.verdict}, {"why", c.why}, {"rule", c.rule}, {"counters", c.moved}});
  }
  return list;
}

json to_json(const settings& s, const record& r) {
  json j;
  j["config"] = config_of(s);
  j["clients"] = json::array();
  int in_time = 0;
  int in_all = 0;
  for (std::size_t i = 0; i < r.clients.size(); ++i) {
    const client_log& c = r.clients[i];
    j["clients"].push_back(client_of(c, i));
    in_all += c.connected ? 1 : 0;
    in_time += c.connected && *c.connected - c.start <= 1500 * millisecond ? 1 : 0;
  }
  j["connect_ok_1500ms"] = in_time;
  j["connect_ok_total"] = in_all;
  j["snaps"] = json::object();
  j["snap_counts"] = json::object();
  for (const snapshot& m : r.snapshots) {
    json how_many = json::object();
    j["snaps"][m.name] = snapshot_of(m, how_many);
    j["snap_counts"][m.name] = how_many;
  }
  j["nstat"] = r.counters;
  j["causes"] = causes_of(r.causes);
  j["accepted"] = json::array();
  for (const auto& [port, at] : r.accepted) j["accepted"].push_back({port, seconds(at)});
  j["srvdata"] = json::object();
  for (const auto& [port, reads] : r.server_read) {
    json& list = j["srvdata"][std::to_string(port)] = json::array();
    for (const auto& [size, at] : reads) list.push_back({size, seconds(at)});
  }
  add_packets(j, r);
  return j;
}

}  // namespace lab
