// SPDX-License-Identifier: BSL-1.0
// How big should the backlog be? Closed forms and a simulation of this very crowd, side by side, as text or JSON.
#include <iostream>

#include "command_line.hpp"
#include "commands.hpp"
#include "output_files.hpp"
#include "plot.hpp"
#include "sizing_json.hpp"
#include "style.hpp"

namespace lab {

namespace {

using calculator::answer;
using calculator::estimate;
using calculator::question;
using calculator::row;
using calculator::share_text;
using calculator::time_text;

double to_rate(const std::string& option, const std::string& text) {
  std::size_t used = 0;
  double x = -1;
  try {
    x = std::stod(text, &used);
  } catch (const std::exception&) {
  }
  if (used != text.size() || !(x >= 0.01 && x <= 1'000'000)) refuse(option, text, "a number a second, 0.01..1000000");
  return x;
}

std::string right(std::string text, std::size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}

std::string with_interval(const estimate& e) {
  std::string s = share_text(e.value);
  if (e.plus_minus > 0) s += " +-" + share_text(e.plus_minus).substr(0, share_text(e.plus_minus).find(' '));
  return s;
}

/// Who is still without an answer when the i-th repetition of the SYN leaves.
std::string step_text(const row& r, std::size_t i) {
  return i < r.simulated.steps.size() ? share_text(r.simulated.steps[i]) : "0";
}

void print_tables(const question& q, const answer& a, const style& look) {
  const auto wait = [](const auto& t) { return t ? time_text(static_cast<double>(*t)) : std::string("gives up"); };
  const bool stalls = q.people.stall > 0;
  std::cout << look.strong("  closed forms         places for      M/M/1/K    mean      p99      too     a stall")
            << '\n'
            << look.strong("  listen(N)      accept  requests       loses    wait     wait     late       loses")
            << '\n';
  for (const row& r : a.rows) {
    std::string line = right(std::to_string(r.backlog), 11);
    line += right(std::to_string(r.accept_slots), 12) + right(std::to_string(r.request_slots), 10);
    line += right(share_text(r.closed.loss), 12) + right(time_text(r.closed.wait), 8) + right(wait(r.closed.p99), 9);
    line += right(share_text(r.closed.beyond), 9) + right(stalls ? share_text(r.closed.stall_loss) : "-", 12);
    std::cout << line << '\n';
  }
  std::string head = "  listen(N)      turned away    wait     wait            late";
  duration at = 0;
  for (unsigned i = 1; i <= 3; ++i) {
    at += q.people.kernel.syn_interval(i);
    head += right(time_text(static_cast<double>(at)), 8);
  }
  std::cout << '\n'
            << look.strong(
                   "  simulation        first try    mean      p99             too    SYN again after    stranded")
            << '\n'
            << look.strong(head) << '\n';
  for (const row& r : a.rows) {
    std::string line = right(std::to_string(r.backlog), 11);
    line += right(with_interval(r.simulated.turned_away), 17) +
            right(r.simulated.waits.empty() ? "-" : time_text(r.simulated.wait.value), 8);
    line += right(wait(r.p99), 9) + right(with_interval(r.simulated.beyond), 16);
    for (std::size_t i = 0; i < 3; ++i) line += right(step_text(r, i), 8);
    line += right(share_text(r.simulated.stranded), 9);
    std::cout << line << '\n';
  }
}

void print(const question& q, const answer& a, const style& look) {
  const calculator::crowd& c = q.people;
  const auto rate = [](double x) {
    std::string s = std::to_string(x);
    s.erase(s.find_last_not_of('0') + 1);
    if (s.back() == '.') s.pop_back();
    return s;
  };
  std::string heading = std::string(q.preset->title) + ": " + rate(c.rate) + " clients a second";
  if (c.burst > 1) heading += " in bursts of " + std::to_string(c.burst);
  heading += ", " + rate(c.service > 0 ? c.service : 1.25 * c.rate) + " accepts a second";
  if (c.stall > 0) {
    heading +=
        ", a stall of " + time_text(static_cast<double>(c.stall)) + " every " + time_text(static_cast<double>(c.every));
  }
  std::cout << look.heading(heading) << '\n';
  paragraph(std::cout, "  window    ", a.window_text);
  if (!a.remedy.empty()) paragraph(std::cout, "            ", a.remedy);
  paragraph(std::cout, "  load      ", a.load_text);
  paragraph(std::cout, "  requests  ", a.request_text);
  std::cout << '\n';
  print_tables(q, a, look);
  std::cout << look.dim("  " + std::to_string(a.rows.empty() ? 0 : a.rows[0].simulated.clients) +
                        " clients each, seed " + std::to_string(c.seed))
            << "\n\n";
  for (const std::string& w : a.warnings) paragraph(std::cout, "  ! ", w);
  if (!a.warnings.empty()) std::cout << '\n';
  paragraph(std::cout, "  => ", a.advice);
}

}  // namespace

int sizing_command(int argc, const char* const* argv) {
  CLI::App app("How big should the backlog be? Closed forms and a simulation, side by side.", "lab sizing");
  preset_options which(app, preset_options::backlogs::none);
  which.preset = find_preset("linux-6.18");
  question q;
  q.clients = 1'000'000;
  calculator::crowd& c = q.people;
  c.rate = 0;
  std::string json;
  std::string svg;
  const auto time = [&app](const char* name, duration& to, const char* help) {
    app.add_option_function<std::string>(
           name, [name, &to](const std::string& v) { to = to_duration(name, v, "a time such as 300ms or 0.3"); }, help)
        ->type_name("TIME");
  };
  app.add_option_function<std::string>(
         "--rate", [&c](const std::string& v) { c.rate = to_rate("--rate", v); }, "clients a second")
      ->type_name("R");
  app.add_option_function<std::string>(
         "--burst", [&c](const std::string& v) { c.burst = to_count("--burst", v, 10'000, 1); },
         "so many arrive together [1]")
      ->type_name("B");
  time("--stall", c.stall, "the application does not accept for so long, once in every --every [0]");
  time("--every", c.every, "from one stall to the next [10s]");
  app.add_option_function<std::string>(
         "--service", [&c](const std::string& v) { c.service = to_rate("--service", v); },
         "accepts a second outside of stalls [1.25 R]")
      ->type_name("MU");
  time("--rtt", c.rtt, "round trip [50ms]");
  time("--deadline", c.deadline, "a client gives up then [3s]");
  app.add_option_function<std::string>(
         "--never-ack", [&c](const std::string& v) { c.never_ack = to_probability("--never-ack", v); },
         "share of SYNs whose sender is never heard of again [0]")
      ->type_name("P");
  app.add_option_function<std::string>(
         "--syns",
         [&c](const std::string& v) {
           if (v != "doubling" && v != "linear") refuse("--syns", v, "doubling, linear");
           if (v == "linear") c.kernel = profile::linux_6_18;
         },
         "clients repeat a SYN after 1, 3, 7 s, or, as Linux from 6.5 on, each second [doubling]")
      ->type_name("doubling|linear");
  app.add_option_function<std::vector<std::string>>(
         "--backlog",
         [&q](const std::vector<std::string>& all) {
           for (const std::string& v : all) q.backlogs.push_back(to_int("--backlog", v, 0, 1'000'000));
         },
         "what listen() is called with, eight at most [some around the window]")
      ->type_name("N ...");
  app.add_option_function<std::string>(
         "--clients", [&q](const std::string& v) { q.clients = to_count("--clients", v, 5'000'000, 1000); },
         "to simulate, all backlogs together [1000000]")
      ->type_name("N");
  app.add_option_function<std::string>(
         "--seed", [&c](const std::string& v) { c.seed = to_seed("--seed", v); }, "of the simulation [1]")
      ->type_name("N");
  app.add_option("--json", json, "as JSON; - is standard output")->type_name("FILE|-");
  app.add_option("--svg", svg, "a plot")->type_name("FILE");
  if (!parse(app, argc, argv)) return 0;
  which.check();
  if (c.rate == 0) throw usage_error("--rate: is wanted, clients a second");
  q.preset = which.preset;
  q.tunables = which.tunables;
  if (const std::string wrong = calculator::objection(q); !wrong.empty()) throw usage_error("--" + wrong);
  output_files files;
  if (app.get_option("--json")->count() > 0) files.add("--json", json, true);
  if (!svg.empty()) files.add("--svg", svg);

  const answer a = calculator::answer_to(q);
  if (files.has("--svg")) files.write("--svg", calculator::svg_of(q, a));
  if (files.has("--json")) {
    files.write("--json", calculator::to_json(q, a).dump() + '\n');
  } else {
    print(q, a, style::of_stdout());
  }
  return 0;
}

}  // namespace lab
