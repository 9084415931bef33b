// SPDX-License-Identifier: BSL-1.0
#include "settings_json.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace explorer {

namespace {

/// The fields of an object, taken one after the other; the first mistake is kept.
class fields {
 public:
  fields(const json& j, std::string where) : j_(j), where_(std::move(where)) {
    if (!j.is_object()) error_ = (where_.empty() ? std::string("settings") : where_) + ": an object is expected";
  }

  template <class T>
  void integer(const char* name, T& into, std::int64_t least, std::int64_t most) {
    const json* const v = find(name);
    if (v == nullptr) return;
    const auto n = integer_in(*v, least, most);
    if (n) {
      into = static_cast<T>(*n);
    } else {
      refuse(name, "an integer from " + std::to_string(least) + " to " + std::to_string(most));
    }
  }
  void integer_or_null(const char* name, std::optional<duration>& into, std::int64_t least, std::int64_t most) {
    const json* const v = find(name);
    if (v == nullptr) return;
    const auto n = integer_in(*v, least, most);
    if (n || v->is_null()) {
      into = n;
    } else {
      refuse(name, "null or an integer from " + std::to_string(least) + " to " + std::to_string(most));
    }
  }
  void number(const char* name, double& into, int most) {
    const json* const v = find(name);
    if (v == nullptr) return;
    const double d = v->is_number() ? v->get<double>() : -1;
    if (d >= 0 && d <= most) {
      into = d;
    } else {
      refuse(name, "a number from 0 to " + std::to_string(most));
    }
  }
  void truth(const char* name, bool& into) {
    const json* const v = find(name);
    if (v == nullptr) return;
    if (v->is_boolean()) {
      into = v->get<bool>();
    } else {
      refuse(name, "true or false");
    }
  }
  /// Null: not there.
  const json* find(const char* name) {
    known_ += (known_.empty() ? "" : ", ") + std::string(name);
    if (!error_.empty()) return nullptr;
    const auto i = j_.find(name);
    if (i == j_.end()) return nullptr;
    ++taken_;
    return &*i;
  }
  void refuse(const char* name, const std::string& allowed) {
    if (error_.empty()) error_ = where_ + (where_.empty() ? "" : ".") + name + ": " + allowed + " is expected";
  }
  void take_over(const std::string& error) {
    if (error_.empty()) error_ = error;
  }
  /// The first mistake, or a field that nobody has asked for.
  std::string finish() {
    if (!error_.empty() || taken_ == j_.size()) return error_;
    return (where_.empty() ? std::string("settings") : where_) + ": a field has an unknown name; there are " + known_;
  }

 private:
  const json& j_;
  std::string where_;
  std::string error_{};
  std::string known_{};
  std::size_t taken_ = 0;
};

std::uint32_t most_of(tunable t) { return std::min(max_of(t), most::tunable); }

std::optional<tunable> tunable_named(const std::string& name) {
  for (std::size_t i = 0; i < tunable_count; ++i) {
    if (name == name_of(static_cast<tunable>(i))) return static_cast<tunable>(i);
  }
  return std::nullopt;
}

/// What a preset does not read changes nothing, so that two presets can have the same settings.
std::string apply_tunables(const json& j, world_settings& s) {
  fields f(j, "tunables");
  for (std::size_t i = 0; i < tunable_count; ++i) {
    const auto t = static_cast<tunable>(i);
    std::uint32_t value = s.value(t);
    const std::uint32_t before = value;
    f.integer(name_of(t), value, 0, most_of(t));
    if (value != before && s.preset->reads(t)) s.tunables[t] = value;
  }
  return f.finish();
}

}  // namespace

std::optional<std::int64_t> integer_in(const json& j, std::int64_t least, std::int64_t most) {
  if (!j.is_number()) return std::nullopt;
  const double d = j.get<double>();
  if (!(d >= static_cast<double>(least) && d <= static_cast<double>(most)) || d != std::floor(d)) return std::nullopt;
  return static_cast<std::int64_t>(d);
}

std::string apply(const json& patch, world_settings& into, bool fixed) {
  world_settings s = into;
  fields f(patch, "");
  if (!fixed) {
    if (const json* p = f.find("preset")) {
      const lab::preset_entry* const e = p->is_string() ? lab::find_preset(p->get_ref<const std::string&>()) : nullptr;
      if (e == nullptr) {
        f.refuse("preset", "one of " + lab::preset_names());
      } else {
        s.preset = e;
      }
    }
    f.integer("seed", s.seed, 0, static_cast<std::int64_t>(most::seed));
  }
  f.integer("backlog", s.backlog, -1, most::backlog);
  if (const json* t = f.find("tunables")) f.take_over(apply_tunables(*t, s));
  f.integer("rtt", s.rtt, 0, most::rtt);
  f.number("loss", s.loss, 1);
  if (const json* a = f.find("arrivals")) {
    fields g(*a, "arrivals");
    g.number("rate", s.rate, static_cast<int>(most::rate));
    g.integer("burst", s.burst, 1, most::burst);
    f.take_over(g.finish());
  }
  if (const json* a = f.find("accept")) {
    fields g(*a, "accept");
    g.integer("every", s.service, 0, most::length);
    if (const json* p = g.find("stall")) {
      if (p->is_null()) {
        s.stalled.reset();
      } else {
        stall x = s.stalled.value_or(stall{});
        fields h(*p, "accept.stall");
        h.integer("from", x.from, 0, most::time);
        h.integer("for", x.length, 0, most::length);
        g.take_over(h.finish());
        s.stalled = x;
      }
    }
    f.take_over(g.finish());
  }
  if (const json* a = f.find("flood")) {
    fields g(*a, "flood");
    g.number("rate", s.flood, static_cast<int>(most::flood));
    g.truth("answers", s.flood_answers);
    f.take_over(g.finish());
  }
  f.integer_or_null("data_after", s.data_after, 0, most::length);
  f.integer_or_null("patience", s.patience, 1, most::length);
  std::string error = f.finish();
  if (error.empty()) into = s;
  return error;
}

std::string apply(const std::string& name, const json& value, world_settings& s) {
  const std::size_t dot = name.find('.');
  json patch = json::object();
  if (tunable_named(name)) {
    patch["tunables"][name] = value;
  } else if (dot != std::string::npos) {
    patch[name.substr(0, dot)][name.substr(dot + 1)] = value;
  } else {
    patch[name] = value;
  }
  return apply(patch, s, true);
}

json to_json(const world_settings& s) {
  json tunables = json::object();
  for (std::size_t i = 0; i < tunable_count; ++i) {
    const auto t = static_cast<tunable>(i);
    if (s.preset->reads(t)) tunables[name_of(t)] = s.value(t);
  }
  const json stall = s.stalled ? json{{"from", s.stalled->from}, {"for", s.stalled->length}} : json(nullptr);
  const auto or_null = [](const std::optional<duration>& d) { return d ? json(*d) : json(nullptr); };
  // A whole number is written as one, as JavaScript does.
  const auto plain = [](double d) { return d == std::floor(d) ? json(static_cast<std::int64_t>(d)) : json(d); };
  return {{"preset", s.preset->name},
          {"seed", s.seed},
          {"backlog", s.backlog},
          {"tunables", tunables},
          {"rtt", s.rtt},
          {"loss", plain(s.loss)},
          {"arrivals", {{"rate", plain(s.rate)}, {"burst", s.burst}}},
          {"accept", {{"every", s.service}, {"stall", stall}}},
          {"flood", {{"rate", plain(s.flood)}, {"answers", s.flood_answers}}},
          {"data_after", or_null(s.data_after)},
          {"patience", or_null(s.patience)}};
}

}  // namespace explorer
