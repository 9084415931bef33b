// SPDX-License-Identifier: BSL-1.0
// Which listener survives what? Presets against attacks: of a hundred honest attempts to connect, how many are served.
#include <iostream>
#include <listenq/testing/attacks.hpp>
#include <listenq/testing/simulation.hpp>
#include <nlohmann/json.hpp>
#include <vector>

#include "command_line.hpp"
#include "commands.hpp"
#include "searches.hpp"
#include "style.hpp"

namespace lab {

namespace {

using listenq::testing::attack;
using listenq::testing::attacks;
using listenq::testing::simulation_options;
using listenq::testing::simulation_report;

/// "97": per cent of the attempts of honest hosts that were accepted.
std::string cell(const preset_entry& p, const attack& a, int backlog) {
  simulation_options o;
  o.against = listenq::testing::mix_of(a, backlog);
  o.length = 20 * second;
  o.events = 10'000'000;
  o.check_every = 10'000'000;  // not a test: `simulate` looks at whole states
  const simulation_report r = searches_of(p).simulate(o);
  if (r.broken) return std::string("!") + listenq::testing::about(*r.broken).name;
  const std::uint64_t n = r.attempts == 0 ? 0 : (200 * r.served + r.attempts) / (2 * r.attempts);
  return std::to_string(n);
}

}  // namespace

int attacks_command(int argc, const char* const* argv) {
  CLI::App app("Presets against attacks: how many of a hundred honest attempts to connect are served.", "lab attacks");
  const preset_entry* one = nullptr;
  int backlog = 128;
  bool markdown = false;
  app.add_option_function<std::string>(
         "--preset", [&one](const std::string& v) { one = to_preset("--preset", v); }, "one row [all]")
      ->type_name("NAME");
  app.add_option_function<std::string>(
         "--backlog", [&backlog](const std::string& v) { backlog = to_int("--backlog", v, 0, 65535); },
         "what listen() is called with [128]")
      ->type_name("N");
  app.add_flag("--markdown", markdown, "as Markdown");
  if (!parse(app, argc, argv)) return 0;
  const style look = style::of_stdout();
  const auto print = [&](std::string_view first, const std::vector<std::string>& cells, bool head) {
    std::string line = markdown ? "| " + std::string(first) + " |" : "  " + std::string(first);
    if (!markdown) line.resize(18, ' ');
    for (const std::string& c : cells) {
      line += markdown ? " " + c + " |" : std::string(c.size() < 12 ? 12 - c.size() : 1, ' ') + c;
    }
    std::cout << (head && !markdown ? look.strong(line) : line) << '\n';
  };
  std::vector<std::string> names;
  for (const attack& a : attacks) names.emplace_back(a.name);
  if (!markdown)
    std::cout << look.heading("Of a hundred honest attempts, served; listen(" + std::to_string(backlog) + ")") << '\n';
  print("", names, true);
  if (markdown) print(":--", std::vector<std::string>(names.size(), "--:"), false);
  for (const preset_entry& p : all_presets()) {
    if (one != nullptr && one != &p) continue;
    std::vector<std::string> cells;
    for (const attack& a : attacks) cells.push_back(cell(p, a, backlog));
    print(p.name, cells, false);
  }
  if (!markdown) {
    std::cout << '\n';
    for (const attack& a : attacks) paragraph(std::cout, "  " + std::string(a.name) + ": ", a.what);
  }
  return 0;
}

}  // namespace lab
