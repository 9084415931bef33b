// SPDX-License-Identifier: BSL-1.0
#include "command.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "exports.hpp"
#include "settings_json.hpp"
#include "sizing_json.hpp"
#include "world_json.hpp"

namespace explorer {

namespace {

constexpr std::size_t most_worlds = 4;
constexpr std::size_t most_events = 20'000;            // of the network, that a call handles
constexpr std::size_t most_script_events = 2'000'000;  // the same of a script
constexpr std::size_t most_actions = 2'000;
constexpr std::size_t most_listed = 2'000;  // events in an answer

std::array<std::unique_ptr<live_world>, most_worlds> worlds;

json error(const std::string& sentence) { return {{"error", sentence}}; }

/// A string of an object; empty if there is none.
std::string text_of(const json& j, const char* name) {
  const auto i = j.find(name);
  return i != j.end() && i->is_string() ? i->get<std::string>() : std::string();
}

const char* name_of(preset::family f) {
  constexpr const char* names[] = {"linux", "bsd", "other", "user space"};
  return names[static_cast<int>(f)];
}

json presets() {
  json list = json::array();
  for (const lab::preset_entry& p : lab::all_presets()) {
    json tunables = json::object();
    for (std::size_t i = 0; i < tunable_count; ++i) {
      const auto t = static_cast<tunable>(i);
      if (p.reads(t)) tunables[listenq::name_of(t)] = p.default_of(t);
    }
    list.push_back({{"name", p.name},
                    {"title", p.title},
                    {"era", p.era},
                    {"family", name_of(p.family)},
                    {"standing", listenq::preset::name_of(p.standing)},
                    {"tunables", tunables}});
  }
  return {{"presets", list}};
}

json state_with_settings(live_world& w, bool more = false) {
  json j = state_of(w);
  j["settings"] = to_json(w.settings());
  if (more) j["more"] = true;
  return j;
}

/// Makes a world of settings; null and an error if that is not possible.
std::unique_ptr<live_world> made_of(const json& request, std::string& wrong) {
  world_settings s;
  const auto given = request.find("settings");
  if (given != request.end()) wrong = apply(*given, s, false);
  if (!wrong.empty()) return nullptr;
  auto w = std::make_unique<live_world>(s);
  wrong = w->objection();
  return wrong.empty() ? std::move(w) : nullptr;
}

std::optional<deed> deed_named(const std::string& name) {
  constexpr std::pair<const char*, deed> all[] = {
      {"syn", deed::syn},   {"raw_syn", deed::raw_syn}, {"ack", deed::ack},
      {"rst", deed::rst},   {"data", deed::data},       {"accept", deed::accept},
      {"tick", deed::tick}, {"close", deed::close},     {"listen", deed::listen}};
  for (const auto& [word, d] : all) {
    if (name == word) return d;
  }
  return std::nullopt;
}

/// One action of a request or of a script: {"what": W, "client": i} or, with `setter` "name" or "set", a setting.
std::string perform(live_world& w, const json& a, const char* setter, const char* kind) {
  const std::string name = text_of(a, setter);
  if (!name.empty()) {
    const auto value = a.find("value");
    if (value == a.end()) return "value: missing";
    world_settings s = w.settings();
    std::string wrong = apply(name, *value, s);
    return wrong.empty() ? w.change(s) : wrong;
  }
  const std::string what = text_of(a, "what");
  const std::optional<deed> d = deed_named(what);
  if (!d) return "what: one of syn, raw_syn, ack, rst, data, accept, tick, close, listen is expected";
  std::optional<std::uint32_t> client;
  if (const auto c = a.find("client"); c != a.end() && !c->is_null()) {
    const auto n = integer_in(*c, 0, 1'000'000'000);
    if (!n) return "client: a number is expected";
    client = static_cast<std::uint32_t>(*n);
  }
  return w.act(*d, client, kind);
}

json advance(live_world& w, const json& request) {
  const auto to = request.find("to");
  const auto when = to != request.end() ? integer_in(*to, 0, most::time) : std::nullopt;
  if (!when) return error("to: an integer from 0 to " + std::to_string(most::time) + " is expected");
  if (*when < w.now()) return error("to: that is past; now is " + std::to_string(w.now()));
  return state_with_settings(w, !w.advance(*when, most_events));
}

json script(std::unique_ptr<live_world>& slot, const json& request) {
  std::string wrong;
  auto w = made_of(request, wrong);
  if (w == nullptr) return error(wrong);
  const auto until = request.find("until");
  const auto end = until != request.end() ? integer_in(*until, 0, most::time) : std::nullopt;
  if (!end) return error("until: an integer from 0 to " + std::to_string(most::time) + " is expected");
  const auto actions = request.find("actions");
  if (actions != request.end()) {
    if (!actions->is_array() || actions->size() > most_actions)
      return error("actions: an array of at most " + std::to_string(most_actions) + " is expected");
    std::size_t n = 0;
    instant before = 0;
    for (const json& a : *actions) {
      const std::string where = "actions[" + std::to_string(n++) + "]: ";
      if (!a.is_object()) return error(where + "an object is expected");
      const auto at = a.find("at");
      const auto when = at != a.end() ? integer_in(*at, before, *end) : std::nullopt;
      if (!when) return error(where + "at: a time between the action before and the end is expected");
      before = *when;  // a tick may have gone beyond it: then at once
      if (!w->advance(*when, most_script_events)) return error(where + "too much happens before it");
      wrong = perform(*w, a, "set", "story");
      if (!wrong.empty()) return error(where + wrong);
    }
  }
  const bool more = !w->advance(*end, most_script_events);
  slot = std::move(w);
  return state_with_settings(*slot, more);
}

json answer_to(const json& request) {
  if (!request.is_object()) return error("a request is a JSON object");
  const std::string verb = text_of(request, "do");
  if (verb == "presets") return presets();
  if (verb == "sizing") return calculator::sizing(request);
  constexpr const char* verbs[] = {"open", "advance", "step", "act", "set", "state", "events", "export", "script"};
  if (std::find(std::begin(verbs), std::end(verbs), verb) == std::end(verbs))
    return error(
        "do: one of presets, open, advance, step, act, set, state, events, export, script, sizing is expected");
  const auto which = request.find("world");
  const auto number = which == request.end() ? std::optional<std::int64_t>(0)
                                             : integer_in(*which, 0, static_cast<std::int64_t>(most_worlds) - 1);
  if (!number) return error("world: an integer from 0 to " + std::to_string(most_worlds - 1) + " is expected");
  std::unique_ptr<live_world>& slot = worlds[static_cast<std::size_t>(*number)];
  std::string wrong;
  if (verb == "script") return script(slot, request);
  if (verb == "open") {
    auto w = made_of(request, wrong);
    if (w == nullptr) return error(wrong);
    slot = std::move(w);
    return state_with_settings(*slot);
  }
  if (slot == nullptr) return error("world " + std::to_string(*number) + " is not open");
  live_world& w = *slot;
  if (verb == "state") return state_with_settings(w);
  if (verb == "advance") return advance(w, request);
  if (verb == "step") {
    w.step();
    return state_with_settings(w);
  }
  if (verb == "act" || verb == "set") {
    if (verb == "set" && text_of(request, "name").empty()) return error("name: the name of a setting is expected");
    wrong = perform(w, request, verb == "set" ? "name" : "", "hand");
    return wrong.empty() ? state_with_settings(w) : error(wrong);
  }
  if (verb == "events") {
    const auto since = request.find("since");
    const auto n = since == request.end() ? std::optional<std::int64_t>(0) : integer_in(*since, 0, 1LL << 53);
    if (!n) return error("since: the number of an event is expected");
    return events_of(w, static_cast<std::uint64_t>(*n), most_listed);
  }
  return exported(w, request);
}

}  // namespace

std::string answer(std::string_view request) {
  const json j = json::parse(request, nullptr, false);
  if (j.is_discarded()) return R"({"error":"this is not JSON"})";
  return answer_to(j).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace explorer
