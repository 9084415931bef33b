// SPDX-License-Identifier: BSL-1.0
#include "sizing_json.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace calculator {

namespace {

using json = nlohmann::ordered_json;
using namespace listenq;

/// Six digits.
json number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return json(std::strtod(text, nullptr));
}
json time(double us) { return json(std::llround(us)); }
json half_interval(const estimate& e) { return e.plus_minus < 0 ? json(nullptr) : number(e.plus_minus); }
template <class T>
json time_or_null(const std::optional<T>& t) {
  return t ? time(static_cast<double>(*t)) : json(nullptr);
}

/// Reads the fields of a request; the first thing that is wrong with one stays in `error`.
class reader {
 public:
  explicit reader(const json& request) : request_(request) {}

  template <class T>
  void read(const char* name, T& to) {
    const auto i = request_.find(name);
    if (i == request_.end() || i->is_null()) return;
    if (!i->is_number()) return fail(std::string(name) + ": a number is wanted");
    const double x = i->get<double>();
    if (!(std::fabs(x) <= 9e15)) return fail(std::string(name) + ": too large");
    if constexpr (std::is_integral_v<T>) {
      if (x != std::floor(x)) return fail(std::string(name) + ": a whole number is wanted");
      if (std::is_unsigned_v<T> && x < 0) return fail(std::string(name) + ": 0 or more is wanted");
      if (sizeof(T) == 4 && std::fabs(x) > 2e9) return fail(std::string(name) + ": too large");
    }
    to = static_cast<T>(x);
  }
  void fail(std::string sentence) {
    if (error.empty()) error = std::move(sentence);
  }
  std::string error;

 private:
  const json& request_;
};

void read_tunables(const json& all, question& q, reader& in) {
  if (!all.is_object()) return in.fail("tunables: an object is wanted");
  for (const auto& item : all.items()) {
    bool known = false;
    for (std::size_t i = 0; i < tunable_count; ++i) {
      const auto t = static_cast<tunable>(i);
      if (item.key() != name_of(t) || !q.preset->reads(t)) continue;
      known = true;
      std::uint32_t value = 0;
      const std::uint32_t most = t == tunable::somaxconn ? 1'000'000 : max_of(t);
      reader one(all);
      one.read(name_of(t), value);
      if (!one.error.empty()) in.fail("tunables: " + one.error);
      if (value > most) in.fail("tunables: " + item.key() + " is " + std::to_string(most) + " at most");
      q.tunables[t] = value;
    }
    if (!known) in.fail("tunables: " + std::string(q.preset->name) + " does not read " + item.key());
  }
}

void read_backlogs(const json& all, question& q, reader& in) {
  if (!all.is_array()) return in.fail("backlogs: an array is wanted");
  for (const json& n : all) {
    if (!n.is_number_integer() || n.get<double>() < 0 || n.get<double>() > 1e6) {
      return in.fail("backlogs: whole numbers are wanted, 0..1000000");
    }
    q.backlogs.push_back(n.get<int>());
  }
}

question read(const json& request, reader& in) {
  question q;
  crowd& c = q.people;
  c.rate = 0;
  for (const auto& item : request.items()) {
    static const char* const names[] = {"do",       "rate",     "burst",    "stall",     "every",
                                        "service",  "rtt",      "deadline", "never_ack", "preset",
                                        "tunables", "backlogs", "seed",     "clients",   "syns"};
    bool known = false;
    for (const char* name : names) known = known || item.key() == name;
    if (!known) in.fail(item.key() + ": there is no such field");
  }
  in.read("rate", c.rate);
  in.read("burst", c.burst);
  in.read("stall", c.stall);
  in.read("every", c.every);
  in.read("service", c.service);
  in.read("rtt", c.rtt);
  in.read("deadline", c.deadline);
  in.read("never_ack", c.never_ack);
  in.read("seed", c.seed);
  in.read("clients", q.clients);
  if (const auto i = request.find("preset"); i != request.end()) {
    q.preset = i->is_string() ? lab::find_preset(i->get_ref<const std::string&>()) : nullptr;
    if (q.preset == nullptr) in.fail("preset: allowed are " + lab::preset_names());
  }
  if (const auto i = request.find("syns"); i != request.end()) {
    if (*i == "linear") {
      c.kernel.syn_linear = profile::linux_6_18.syn_linear;
      c.kernel.syn_retries = profile::linux_6_18.syn_retries;
    } else if (*i != "doubling") {
      in.fail("syns: allowed are doubling, linear");
    }
  }
  if (!in.error.empty()) return q;
  if (const auto i = request.find("tunables"); i != request.end()) read_tunables(*i, q, in);
  if (const auto i = request.find("backlogs"); i != request.end()) read_backlogs(*i, q, in);
  return q;
}

json asked(const question& q) {
  const crowd& c = q.people;
  json tunables = json::object();
  for (std::size_t i = 0; i < tunable_count; ++i) {
    const auto t = static_cast<tunable>(i);
    if (q.preset->reads(t)) tunables[name_of(t)] = q.preset->value(t, q.tunables);
  }
  return {{"rate", c.rate},
          {"burst", c.burst},
          {"stall", c.stall},
          {"every", c.every},
          {"service", c.service > 0 ? c.service : 1.25 * c.rate},
          {"rtt", c.rtt},
          {"deadline", c.deadline},
          {"never_ack", c.never_ack},
          {"syns", c.kernel.syn_linear > 0 ? "linear" : "doubling"},
          {"preset", q.preset->name},
          {"tunables", tunables},
          {"seed", c.seed},
          {"clients", q.clients}};
}

json histogram(const std::vector<duration>& waits, std::uint64_t clients) {
  json all = json::array();
  duration upto = 1000;  // microseconds; four steps to a factor of ten
  std::size_t from = 0;
  for (int step = 0; from < waits.size(); ++step) {
    constexpr double steps[] = {1, 1.8, 3, 5.6};
    upto = std::llround(1000 * steps[step % 4] * std::pow(10, step / 4));
    std::size_t to = from;
    while (to < waits.size() && waits[to] <= upto) ++to;
    all.push_back({{"upto", upto}, {"share", number(static_cast<double>(to - from) / static_cast<double>(clients))}});
    from = to;
  }
  return all;
}

json simulated(const row& r, const question& q) {
  const crowd_report& s = r.simulated;
  json steps = json::array();
  duration at = 0;
  for (std::size_t i = 0; i < s.steps.size(); ++i) {
    at += q.people.kernel.syn_interval(static_cast<unsigned>(i) + 1);
    steps.push_back({{"at", at}, {"share", number(s.steps[i])}});
  }
  return {{"clients", s.clients},
          {"loss", number(s.turned_away.value)},
          {"loss_pm", half_interval(s.turned_away)},
          {"mean", time(s.wait.value)},
          {"mean_pm", s.wait.plus_minus < 0 ? json(nullptr) : time(s.wait.plus_minus)},
          {"p99", time_or_null(r.p99)},
          {"beyond", number(s.beyond.value)},
          {"beyond_pm", half_interval(s.beyond)},
          {"stranded", number(s.stranded)},
          {"late", number(s.late)},
          {"refused", number(s.refused)},
          {"steps", steps},
          {"most_waiting", s.most_waiting},
          {"most_requests", s.most_requests},
          {"stalls", s.periods},
          {"histogram", histogram(s.waits, s.clients)}};
}

json to_json(const row& r, const question& q) {
  json parts = nullptr;
  if (!r.parts_in.empty()) {
    parts = {{"what", r.parts_in}, {"factor", r.factor ? number(*r.factor) : json(nullptr)}, {"text", r.disagreement}};
  }
  return {{"backlog", r.backlog},
          {"in_force", r.in_force},
          {"accept_slots", r.accept_slots},
          {"request_slots", r.request_slots},
          {"closed",
           {{"loss", number(r.closed.loss)},
            {"mean", time(r.closed.wait)},
            {"p99", time_or_null(r.closed.p99)},
            {"beyond", number(r.closed.beyond)},
            {"stall_loss", number(r.closed.stall_loss)}}},
          {"simulated", simulated(r, q)},
          {"disagree", parts},
          {"text", r.text}};
}

}  // namespace

json to_json(const question& q, const answer& a) {
  json rows = json::array();
  for (const row& r : a.rows) rows.push_back(to_json(r, q));
  return {{"asked", asked(q)},
          {"window",
           {{"least", number(a.window.least)},
            {"most", number(a.window.most)},
            {"with_margin", number(a.with_margin)},
            {"empty", a.window.empty()},
            {"text", a.window_text},
            {"remedy", a.remedy.empty() ? json(nullptr) : json(a.remedy)}}},
          {"load", {{"share", number(a.load)}, {"overloaded", a.load >= 1}, {"text", a.load_text}}},
          {"requests",
           {{"mean", number(a.requests)},
            {"life", a.request_life},
            {"poisson", a.request_need},
            {"bursty", a.bursty_need},
            {"text", a.request_text}}},
          {"rows", rows},
          {"warnings", a.warnings},
          {"advice", a.advice},
          {"clients", a.clients}};
}

json sizing(const json& request) {
  if (!request.is_object()) return {{"error", "an object is wanted"}};
  reader in(request);
  const question q = read(request, in);
  if (in.error.empty()) in.fail(objection(q));
  if (!in.error.empty()) return {{"error", in.error}};
  return to_json(q, answer_to(q));
}

}  // namespace calculator
