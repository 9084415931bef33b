// SPDX-License-Identifier: BSL-1.0
// Timed segments in, everything that the server does out: the recordings of single segments (synack, halfopen,
// responses) can be repeated with it. There is no client and no network here, only a stack and a clock.
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "command_line.hpp"
#include "commands.hpp"
#include "inject_script.hpp"
#include "json_record.hpp"
#include "seeds.hpp"
#include "segment_text.hpp"

namespace lab {

namespace {

using json = nlohmann::ordered_json;

double seconds(instant t) { return static_cast<double>(t) / 1e6; }

std::vector<std::string> names_of(stages s) {
  constexpr std::pair<stage, const char*> all[] = {{stage::request_full, "request_full"},
                                                   {stage::cookie_wanted, "cookie_wanted"},
                                                   {stage::accept_full, "accept_full"},
                                                   {stage::rate_limited, "rate_limited"},
                                                   {stage::old_timestamp, "old_timestamp"},
                                                   {stage::bad_echo, "bad_echo"},
                                                   {stage::cookie_checked, "cookie_checked"},
                                                   {stage::cookie_valid, "cookie_valid"},
                                                   {stage::child_refused, "child_refused"},
                                                   {stage::evicted, "evicted"},
                                                   {stage::answered, "answered"},
                                                   {stage::answered_reset, "answered_reset"},
                                                   {stage::send_failed, "send_failed"},
                                                   {stage::no_timestamp, "no_timestamp"},
                                                   {stage::bucket_full, "bucket_full"},
                                                   {stage::evicted_reset, "evicted_reset"},
                                                   {stage::request_ended, "request_ended"},
                                                   {stage::cookie_late, "cookie_late"},
                                                   {stage::fast_open_tried, "fast_open_tried"},
                                                   {stage::fast_open_asked, "fast_open_asked"},
                                                   {stage::fast_open_full, "fast_open_full"},
                                                   {stage::fast_open_failed, "fast_open_failed"},
                                                   {stage::fast_open_backup, "fast_open_backup"}};
  std::vector<std::string> names;
  for (const auto& [bit, name] : all) {
    if (s.has(bit)) names.emplace_back(name);
  }
  return names;
}

json changes(const counts& from, const counts& to) {
  json j = json::object();
  for (const auto& [name, value] : to) {
    const auto before = from.find(name);
    const std::uint64_t was = before == from.end() ? 0 : before->second;
    if (value != was) j[name] = value - was;
  }
  return j;
}

json handshake_of(const handshake& h) {
  const auto scale = [&h](std::uint8_t s) { return h.window_scaling ? json(s) : json(nullptr); };
  return {{"mss", h.peer_mss},          {"sack", h.sack},
          {"timestamps", h.timestamps}, {"ecn", h.ecn},
          {"cookie", h.cookie},         {"send_scale", scale(h.send_scale)},
          {"window", h.window},         {"receive_scale", scale(h.receive_scale)}};
}

/// [t, value] at each change; of several at one instant the last counts.
template <class Value>
class history {
 public:
  void note(instant at, const Value& v) {
    if (!rows_.empty() && rows_.back().first == at) rows_.pop_back();
    if (rows_.empty() || rows_.back().second != v) rows_.emplace_back(at, v);
  }
  json rows() const {
    json j = json::array();
    for (const auto& [at, v] : rows_) j.push_back({seconds(at), v});
    return j;
  }

 private:
  std::vector<std::pair<instant, Value>> rows_;
};

class injector {
 public:
  injector(const preset_options& which, std::uint64_t seed, bool closed)
      : seed_(seed),
        kernel_(which.preset->make(which.preset->kernel, keys_of(seed),
                                   {.send = [this](const segment& s) { return answered(s); },
                                    .decided = [](const decision&) {},
                                    .stirred = [](std::uint16_t, connection_events) {}})) {
    for (const auto& [t, value] : which.tunables) kernel_->set(t, value);
    if (!closed) listen(which.backlog, 0);
    note();
  }

  json run(const std::vector<scripted_line>& script, instant until) {
    for (const scripted_line& l : script) {
      if (l.at > until) break;
      pass_time(l.at);
      act(l);
      note();
    }
    pass_time(until);
    return result();
  }

 private:
  struct flow {
    seq_number client_isn = 0;
    std::optional<seq_number> server_isn{};
    std::uint32_t server_clock = 0;
    json client = json::array();
    json answers = json::array();
    json isns = json::array();
    history<std::string> states{};
  };

  void listen(int backlog, unsigned line) {
    const listen_result r = kernel_->listen(backlog, now_);
    const std::string where = line > 0 ? "line " + std::to_string(line) : "--backlog";
    if (!r) refuse(where, std::to_string(backlog), "what fits into memory (" + std::to_string(r.have) + " entries)");
  }

  void pass_time(instant to) {
    for (auto due = kernel_->next_deadline(); due && *due <= to; due = kernel_->next_deadline()) {
      now_ = std::max(now_, *due);
      kernel_->tick(now_);
      note();
    }
    now_ = to;
  }

  void act(const scripted_line& l) {
    using deed = scripted_line::deed;
    switch (l.what) {
      case deed::segment:
        inject(l);
        break;
      case deed::accept:
        for (int i = 0; l.number < 0 || i < l.number; ++i) {
          const stack::child* c = kernel_->accept(now_);
          if (c == nullptr) break;
          accepted_.push_back({c->key.peer_port, seconds(now_)});
        }
        break;
      case deed::close:
        kernel_->close(now_);
        break;
      case deed::close_connection:
        if (stack::child* c = kernel_->find(l.port)) kernel_->close(*c, now_);
        break;
      case deed::listen:
        listen(l.number, l.line);
        break;
      case deed::send:
        if (stack::child* c = kernel_->find(l.port)) {
          const std::vector<std::byte> bytes(static_cast<std::size_t>(l.number), std::byte{'x'});
          kernel_->send(*c, {bytes.data(), bytes.size()}, now_);
        }
        break;
      case deed::recv:
        received_.push_back({l.port, seconds(now_), receive_call(l.port, static_cast<std::size_t>(l.number))});
        break;
      case deed::set:
        kernel_->set(l.which, static_cast<std::uint32_t>(l.number));
        break;
    }
  }

  /// What recv(2) says that does not block. An error is said once, then the end.
  json receive_call(std::uint16_t port, std::size_t most) {
    stack::child* const c = kernel_->find(port);
    if (c == nullptr) return "ENOTCONN";
    std::vector<std::byte> to(most);
    const std::size_t n = kernel_->read(*c, to.data(), most, now_);
    if (n > 0) return n;
    const connection_error e = c->connection->error();
    if (e != connection_error::none && failed_.insert(port).second) {
      return e == connection_error::reset ? "ECONNRESET" : "ETIMEDOUT";
    }
    return c->connection->end_of_stream() ? json(0) : json("EAGAIN");
  }

  flow& flow_of(std::uint16_t port) {
    const auto [i, fresh] = flows_.try_emplace(port);
    if (fresh) i->second.client_isn = client_isn(seed_, port);
    return i->second;
  }

  static std::uint32_t resolve(const relative_number& n, const flow& f) {
    using base = relative_number::base;
    const std::uint32_t from = n.from == base::client_isn     ? f.client_isn
                               : n.from == base::server_isn   ? f.server_isn.value_or(0)
                               : n.from == base::server_clock ? f.server_clock
                                                              : 0;
    return from + n.offset;
  }

  void inject(const scripted_line& l) {
    flow& f = flow_of(l.segment.port);
    const std::vector<std::byte> bytes(l.segment.length, std::byte{'x'});
    segment s;
    s.source = {loopback, l.segment.port};
    s.destination = {loopback, server_port};
    s.flags = l.segment.flags;
    s.seq = resolve(l.segment.seq, f);
    if (l.segment.ack) s.ack = resolve(*l.segment.ack, f);
    s.window = l.segment.window;
    s.options = l.segment.options;
    s.options.ts_echo = resolve(l.segment.echo, f);
    if (l.segment.fast_open != scripted_segment::cookie::as_written) {
      const bool experimental = s.options.fast_open.experimental;
      s.options.fast_open = cookie_;
      s.options.fast_open.experimental = experimental;
      if (l.segment.fast_open == scripted_segment::cookie::wrong) s.options.fast_open.bytes[0] ^= 0xff;
    }
    s.payload = {bytes.data(), bytes.size()};
    const bool acks = s.flags.has(flag::ack);
    f.client.push_back({seconds(now_), letters_of(s.flags), static_cast<std::int32_t>(s.seq - f.client_isn),
                        acks ? json(static_cast<std::int32_t>(s.ack - f.server_isn.value_or(0))) : json(nullptr),
                        bytes.size()});
    const counts before = kernel_->counters();
    const std::optional<outcome> o = kernel_->receive(s, now_);
    outcomes_.push_back({{"line", l.line},
                         {"t", seconds(now_)},
                         {"port", l.segment.port},
                         {"verdict", o ? name_of(o->verdict) : "connection"},
                         {"stages", names_of(o ? o->stages : stages{})},
                         {"counters", changes(before, kernel_->counters())}});
  }

  send_result answered(const segment& s) {
    flow& f = flow_of(s.destination.port);
    if (s.flags.has(flag::syn)) {
      if (f.server_isn != s.seq) f.isns.push_back(s.seq);
      f.server_isn = s.seq;
      f.server_clock = s.options.ts_value;
      if (s.options.fast_open.has_cookie()) cookie_ = s.options.fast_open;
    }
    const bool acks = s.flags.has(flag::ack);
    f.answers.push_back({seconds(now_), letters_of(s.flags),
                         static_cast<std::int32_t>(s.seq - f.server_isn.value_or(0)),
                         acks ? json(static_cast<std::int32_t>(s.ack - f.client_isn)) : json(nullptr), s.payload.size,
                         s.window, options_text(s.options, s.flags.has(flag::syn))});
    return send_result::sent;
  }

  void note() {
    std::map<std::uint16_t, std::string> state;
    for (const stack::request_type& r : kernel_->requests()) state[r.key.peer_port] = "SYN-RECV";
    unsigned established = 0;
    for (const auto& [port, c] : kernel_->children()) {
      const connection_state s = c.connection->state();
      if (s == connection_state::closed) continue;
      if (s == connection_state::established) ++established;
      state[port] = state_name(s);
    }
    requests_.note(now_, kernel_->queues().requests);
    established_.note(now_, established);
    for (auto& [port, f] : flows_) {
      const auto i = state.find(port);
      f.states.note(now_, i == state.end() ? "none" : i->second);
    }
  }

  json result() const {
    json j;
    j["flows"] = json::object();
    j["states"] = json::object();
    j["final"] = json::object();
    for (const auto& [port, f] : flows_) {
      const std::string name = std::to_string(port);
      j["flows"][name] = {{"client", f.client}, {"answers", f.answers}, {"isns", f.isns}};
      j["states"][name] = f.states.rows();
      j["final"][name] = j["states"][name].back()[1];
    }
    j["outcomes"] = outcomes_;
    j["syn_recv_history"] = requests_.rows();
    j["estab_history"] = established_.rows();
    j["accepted"] = accepted_;
    j["handshakes"] = json::object();
    for (const auto& [port, c] : kernel_->children()) j["handshakes"][std::to_string(port)] = handshake_of(c.shake);
    j["received"] = received_;
    const queue_state q = kernel_->queues();
    j["listen"] = {{"recvq", q.waiting}, {"sendq", q.backlog}};
    j["nstat"] = changes({}, kernel_->counters());
    j["causes"] = causes_of(kernel_->causes());
    return j;
  }

  std::uint64_t seed_;
  instant now_ = 0;
  fast_open_option cookie_{.bytes = {1, 2, 3, 4, 5, 6, 7, 8}, .size = 8};  ///< that the server gave last
  std::map<std::uint16_t, flow> flows_;
  json outcomes_ = json::array();
  json accepted_ = json::array();
  json received_ = json::array();
  std::set<std::uint16_t> failed_;  ///< connections whose error has been told
  history<std::uint32_t> requests_;
  history<unsigned> established_;
  std::unique_ptr<stack> kernel_;
};

}  // namespace

int inject_command(int argc, const char* const* argv) {
  CLI::App app("Timed segments in, answers, states and counters out as JSON.", "lab inject");
  app.footer(script_help);
  preset_options which(app);
  std::uint64_t seed = 1;
  std::optional<instant> until;
  bool closed = false;
  app.add_option_function<std::string>(
         "--defer-accept",
         [&which](const std::string& v) {
           which.tunables[tunable::defer_accept] = to_count("--defer-accept", v, max_of(tunable::defer_accept));
         },
         "TCP_DEFER_ACCEPT, seconds [0]")
      ->type_name("N");
  app.add_flag("--closed", closed, "nobody listens");
  app.add_option_function<std::string>(
         "--seed", [&seed](const std::string& v) { seed = to_seed("--seed", v); }, "of keys and ISNs [1]")
      ->type_name("N");
  app.add_option_function<std::string>(
         "--until", [&until](const std::string& v) { until = to_duration("--until", v); },
         "the end; timers run until then [the last line's time]")
      ->type_name("SECONDS");
  if (!parse(app, argc, argv)) return 0;
  which.check();
  const std::vector<scripted_line> script = read_script(std::cin);
  const instant end = until.value_or(script.empty() ? 0 : script.back().at);
  std::cout << injector(which, seed, closed).run(script, end).dump() << '\n';
  return 0;
}

}  // namespace lab
