// SPDX-License-Identifier: BSL-1.0
// What can happen? Every interleaving of a few clients, one listener and the segments between them.
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

#include "command_line.hpp"
#include "commands.hpp"
#include "output_files.hpp"
#include "searches.hpp"
#include "style.hpp"

namespace lab {

namespace {

using listenq::testing::about;
using listenq::testing::exploration;
using listenq::testing::explore_options;
using listenq::testing::world_trace;
using json = nlohmann::ordered_json;

struct explored {
  const preset_entry* preset;
  exploration found;
};

/// The clients that can be stranded: "1 2", or "nobody".
std::string stranded(const exploration& e) {
  std::string text;
  for (std::size_t c = 0; c < e.stranded.size(); ++c) {
    if (e.stranded[c]) text += (text.empty() ? "" : " ") + std::to_string(c + 1);
  }
  return text.empty() ? "nobody" : text;
}

/// The shortest of the ways to strand a client, or null.
const world_trace* shortest(const exploration& e) {
  const world_trace* best = nullptr;
  for (const auto& t : e.stranded) {
    if (t && (best == nullptr || t->moves.size() < best->moves.size())) best = &*t;
  }
  return best;
}

json to_json(const explored& x) {
  json ways = json::object();
  for (std::size_t c = 0; c < x.found.stranded.size(); ++c) {
    if (x.found.stranded[c]) ways["client " + std::to_string(c + 1)] = to_text(*x.found.stranded[c]);
  }
  return {{"preset", x.preset->name},
          {"states", x.found.states},
          {"transitions", x.found.transitions},
          {"depth", x.found.depth},
          {"complete", x.found.complete},
          {"broken", x.found.broken ? json(about(*x.found.broken).name) : json(nullptr)},
          {"stranded", ways}};
}

void print_row(const std::vector<std::string>& cells) {
  constexpr std::size_t width[] = {18, 10, 13, 7, 26, 0};
  std::string line = " ";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += ' ' + cells[i];
    if (cells[i].size() < width[i]) line.append(width[i] - cells[i].size(), ' ');
  }
  std::cout << line << '\n';
}

/// A table row for each, as in README.md.
void print_markdown(const std::vector<explored>& all, int clients, int backlog) {
  std::cout
      << "| preset | clients | `listen(N)` | states | transitions | moves | invariants | can be stranded | in moves |\n"
      << "|:--|--:|--:|--:|--:|--:|:--|:--|--:|\n";
  for (const explored& x : all) {
    const exploration& e = x.found;
    std::cout << "| " << x.preset->name << " | " << clients << " | " << backlog << " | " << e.states
              << (e.complete || e.broken ? "" : "+") << " | " << e.transitions << " | " << e.depth << " | "
              << (e.broken ? std::string(about(*e.broken).name) : "hold") << " | " << stranded(e) << " | ";
    if (const world_trace* t = shortest(e)) std::cout << t->moves.size();
    std::cout << " |\n";
  }
}

std::string moves(std::size_t n) { return std::to_string(n) + (n == 1 ? " move" : " moves"); }

}  // namespace

int explore_command(int argc, const char* const* argv) {
  CLI::App app("Every interleaving of a small world: how many states, which invariants, who can be stranded.",
               "lab explore");
  preset_options which(app);
  explore_options o;
  int clients = 2;
  std::string path;
  const auto small = [&app](const char* name, std::uint8_t& into, const char* help) {
    app.add_option_function<std::string>(
           name, [name, &into](const std::string& v) { into = static_cast<std::uint8_t>(to_int(name, v, 0, 3)); }, help)
        ->type_name("0..3");
  };
  app.add_option_function<std::string>(
         "--clients", [&clients](const std::string& v) { clients = to_int("--clients", v, 1, 3); }, "clients [2]")
      ->type_name("1..3");
  small("--losses", o.world.losses, "segments that may be lost [0]");
  small("--duplicates", o.world.duplicates, "segments of clients that may arrive twice [0]");
  small("--repeats", o.world.repeats, "SYNs that may be sent again [0]");
  small("--accepts", o.world.accepts, "calls of accept() [0]");
  small("--closes", o.world.closes, "times that the listener may close and listen again [0]");
  app.add_option_function<std::string>(
         "--depth", [&o](const std::string& v) { o.depth = to_count("--depth", v, 1000, 1); }, "moves in a row [1000]")
      ->type_name("N");
  app.add_option_function<std::string>(
         "--most-states", [&o](const std::string& v) { o.most_states = to_count("--most-states", v, 10'000'000, 1); },
         "it stops there [1000000]")
      ->type_name("N");
  bool markdown = false;
  CLI::Option* const json_option = app.add_option("--json", path, "as JSON; - is standard output")->type_name("FILE|-");
  app.add_flag("--markdown", markdown, "as a Markdown table")->excludes(json_option);
  if (!parse(app, argc, argv)) return 0;
  const bool one = app.get_option("--preset")->count() > 0;
  if (one) which.check();
  if (which.tunables.count(tunable::synack_retries) == 0) which.tunables[tunable::synack_retries] = 1;
  output_files files;
  if (app.get_option("--json")->count() > 0) files.add("--json", path, true);
  o.world.clients = static_cast<std::uint8_t>(clients);
  o.world.backlog = which.backlog;

  std::vector<explored> all;
  bool sound = true;
  for (const preset_entry& p : all_presets()) {
    if (one && &p != which.preset) continue;
    all.push_back({&p, searches_of(p).explore(which.tunables, o)});
    sound = sound && !all.back().found.broken;
  }
  if (files.has("--json")) {
    json j = json::array();
    for (const explored& x : all) j.push_back(to_json(x));
    files.write("--json", j.dump(1) + '\n');
    return sound ? 0 : 1;
  }

  if (markdown) {
    print_markdown(all, clients, which.backlog);
    return sound ? 0 : 1;
  }

  const style look = style::of_stdout();
  const std::uint32_t retries = which.tunables[tunable::synack_retries];
  std::cout << look.heading("listen(fd, " + std::to_string(which.backlog) + "), " + std::to_string(clients) +
                            (clients == 1 ? " client, " : " clients, ") + std::to_string(retries) +
                            (retries == 1 ? " repeated SYN-ACK: " : " repeated SYN-ACKs: ") + "all that can happen")
            << '\n';
  print_row({"", "states", "transitions", "moves", "invariants", "connected here, unknown there"});
  for (const explored& x : all) {
    const exploration& e = x.found;
    print_row({std::string(x.preset->name), std::to_string(e.states) + (e.complete || e.broken ? "" : "+"),
               std::to_string(e.transitions), std::to_string(e.depth),
               e.broken ? std::string(about(*e.broken).name) : "hold", stranded(e)});
  }
  for (const explored& x : all) {
    if (x.found.broken) {
      std::cout << '\n'
                << look.bad(std::string(x.preset->name) + " breaks: " + about(*x.found.broken).sentence) << '\n';
      std::cout << to_text(x.found.to_broken);
    } else if (const world_trace* t = shortest(x.found); one && t != nullptr) {
      std::cout << '\n'
                << look.strong("The shortest way to it, " + moves(t->moves.size()) + ":") << '\n'
                << to_text(*t);
    }
  }
  return sound ? 0 : 1;
}

}  // namespace lab
