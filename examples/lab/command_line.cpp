// SPDX-License-Identifier: BSL-1.0
#include "command_line.hpp"

#include <charconv>
#include <cmath>
#include <iostream>
#include <limits>

namespace lab {

namespace {

template <class T>
std::optional<T> number(const std::string& text) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end || text.empty()) return std::nullopt;
  return value;
}

std::string range(auto least, auto most) { return std::to_string(least) + ".." + std::to_string(most); }

/// What the lab is ready to keep in memory; the kernel's own limit is higher.
std::uint32_t most_of(tunable t) { return t == tunable::somaxconn ? 1'000'000 : max_of(t); }

/// Does the preset do something else for another value? Cookies it does not have it may still read of.
bool heeds(const preset_entry& p, tunable t) {
  if (t == tunable::syncookies) return p.explain(1, {{t, 2}}).cookies == cookie_mode::always;
  return p.reads(t);
}

std::string option_of(tunable t) {
  std::string s = "--";
  for (const char* c = name_of(t); *c != '\0'; ++c) s += *c == '_' ? '-' : *c;
  return s;
}

}  // namespace

void refuse(const std::string& option, const std::string& value, const std::string& allowed) {
  throw usage_error(option + ": '" + value + "' is not allowed; allowed: " + allowed);
}

int to_int(const std::string& option, const std::string& text, int least, int most) {
  const auto n = number<int>(text);
  if (!n || *n < least || *n > most) refuse(option, text, "a whole number, " + range(least, most));
  return *n;
}

std::uint32_t to_count(const std::string& option, const std::string& text, std::uint32_t most) {
  const auto n = number<std::uint32_t>(text);
  if (!n || *n > most) refuse(option, text, "a whole number, " + range(0, most));
  return *n;
}

std::uint64_t to_seed(const std::string& option, const std::string& text) {
  const auto n = number<std::uint64_t>(text);
  if (!n) refuse(option, text, "a whole number, " + range(0, std::numeric_limits<std::uint64_t>::max()));
  return *n;
}

duration to_duration(const std::string& option, const std::string& text, const char* allowed) {
  const auto s = number<double>(text);
  if (!s || !(*s >= 0 && *s <= 31536000)) refuse(option, text, allowed);
  return std::llround(*s * 1e6);
}

double to_probability(const std::string& option, const std::string& text) {
  const auto p = number<double>(text);
  if (!p || !(*p >= 0 && *p <= 1)) refuse(option, text, "a probability, 0..1");
  return *p;
}

const preset_entry* to_preset(const std::string& option, const std::string& text) {
  const preset_entry* p = find_preset(text);
  if (p == nullptr) refuse(option, text, preset_names());
  return p;
}

preset_options::preset_options(CLI::App& app) {
  app.add_option_function<std::string>(
         "--preset", [this](const std::string& v) { preset = to_preset("--preset", v); },
         "whose listener; - _ . are the same")
      ->type_name(preset_names());
  app.add_option_function<std::string>(
         "--backlog",
         [this](const std::string& v) {
           backlog = to_int("--backlog", v, std::numeric_limits<int>::min(), std::numeric_limits<int>::max());
         },
         "listen()'s second argument, any int [1]")
      ->type_name("N");
  add(app, "--abort-on-overflow", tunable::abort_on_overflow, "tcp_abort_on_overflow, 0 or 1");
  add(app, "--syncookies", tunable::syncookies, "tcp_syncookies: 0 off, 1 when the request queue is full, 2 always");
  add(app, "--max-syn-backlog", tunable::max_syn_backlog, "tcp_max_syn_backlog");
  add(app, "--somaxconn", tunable::somaxconn, "net.core.somaxconn");
  add(app, "--synack-retries", tunable::synack_retries, "tcp_synack_retries, 0..255");
}

void preset_options::add(CLI::App& app, const char* name, tunable t, const char* help) {
  app.add_option_function<std::string>(
         name, [this, name, t](const std::string& v) { tunables[t] = to_count(name, v, most_of(t)); }, help)
      ->type_name("N");
}

void preset_options::check() {
  for (const auto& [t, value] : tunables) {
    const std::uint32_t fixed = preset->default_of(t);
    if (heeds(*preset, t) || value == fixed) continue;
    refuse(option_of(t), std::to_string(value),
           std::to_string(fixed) + " (the preset " + std::string(preset->name) + " has no other answer)");
  }
}

bool parse(CLI::App& app, int argc, const char* const* argv) {
  app.allow_extras();
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return false;
  } catch (const CLI::ParseError& e) {
    throw usage_error(e.what());
  }
  const std::vector<std::string> unknown = app.remaining();
  if (unknown.empty()) return true;
  std::string allowed;
  for (const CLI::Option* o : app.get_options()) allowed += (allowed.empty() ? "" : ", ") + o->get_name();
  throw usage_error(unknown.front() + ": no such option; allowed: " + allowed);
}

}  // namespace lab
