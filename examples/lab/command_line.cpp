// SPDX-License-Identifier: BSL-1.0
#include "command_line.hpp"

#include <iostream>
#include <limits>

#include "command_text.hpp"

namespace lab {

namespace {

/// What the lab is ready to keep in memory; the kernel's own limit is higher.
std::uint32_t most_of(tunable t) { return t == tunable::somaxconn ? 1'000'000 : max_of(t); }

/// Does the preset do something else for another value? Cookies it does not have it may still read of.
bool heeds(const preset_entry& p, tunable t) {
  if (t == tunable::syncookies) return p.explain(1, {{t, 2}}).cookies == cookie_mode::always;
  return p.reads(t);
}

}  // namespace

preset_options::preset_options(CLI::App& app, backlogs how) {
  app.add_option_function<std::string>(
         "--preset", [this](const std::string& v) { preset = to_preset("--preset", v); },
         "whose listener; - _ . are the same")
      ->type_name(preset_names());
  if (how == backlogs::one) {
    app.add_option_function<std::string>(
           "--backlog",
           [this](const std::string& v) {
             backlog = to_int("--backlog", v, std::numeric_limits<int>::min(), std::numeric_limits<int>::max());
           },
           "listen()'s second argument, any int [1]")
        ->type_name("N");
  }
  add(app, "--abort-on-overflow", tunable::abort_on_overflow, "tcp_abort_on_overflow, 0 or 1");
  add(app, "--syncookies", tunable::syncookies, "tcp_syncookies: 0 off, 1 when the request queue is full, 2 always");
  add(app, "--max-syn-backlog", tunable::max_syn_backlog, "tcp_max_syn_backlog");
  add(app, "--somaxconn", tunable::somaxconn, "net.core.somaxconn");
  add(app, "--fastopen", tunable::fastopen, "tcp_fastopen, a sum of bits: 2 for listeners");
  add(app, "--fastopen-qlen", tunable::fastopen_qlen, "TCP_FASTOPEN: so many unfinished fast-open connections; 0 off");
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
