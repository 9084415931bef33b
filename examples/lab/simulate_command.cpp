// SPDX-License-Identifier: BSL-1.0
// One listener against thousands of hosts and a mix of troubles that the seed draws, preset by preset, run by run. What
// breaks an invariant is named with the seed that repeats it.
#include <iostream>
#include <listenq/testing/event_log_text.hpp>
#include <nlohmann/json.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "output_files.hpp"
#include "searches.hpp"
#include "style.hpp"

namespace lab {

namespace {

using listenq::testing::about;
using listenq::testing::simulation_options;
using listenq::testing::simulation_report;
using json = nlohmann::ordered_json;

std::string hex(std::uint64_t n) {
  constexpr const char* digits = "0123456789abcdef";
  std::string s(16, '0');
  for (std::size_t i = 16; i-- > 0; n >>= 4) s[i] = digits[n & 15];
  return s;
}

json to_json(const preset_entry& p, std::uint64_t seed, const simulation_report& r) {
  json verdicts = json::object();
  for (std::size_t v = 0; v < verdict_count; ++v) {
    if (r.verdicts[v] > 0) verdicts[name_of(static_cast<verdict>(v))] = r.verdicts[v];
  }
  return {{"preset", p.name},
          {"seed", seed},
          {"against", to_text(r.against)},
          {"events", r.events},
          {"seconds", static_cast<double>(r.time) / 1e6},
          {"attempts", r.attempts},
          {"connected", r.connected},
          {"served", r.served},
          {"refused", r.refused},
          {"most_requests", r.most_requests},
          {"digest", hex(r.digest)},
          {"broken", r.broken ? json(about(*r.broken).name) : json(nullptr)},
          {"verdicts", verdicts}};
}

}  // namespace

int simulate_command(int argc, const char* const* argv) {
  CLI::App app("A listener against thousands of hosts and a mix of troubles that the seed draws.", "lab simulate");
  const preset_entry* one = nullptr;
  simulation_options o;
  std::uint64_t runs = 1;
  std::string path;
  std::string log;
  o.events = 100'000;
  app.add_option_function<std::string>(
         "--preset", [&one](const std::string& v) { one = to_preset("--preset", v); }, "this one [all]")
      ->type_name("NAME");
  app.add_option_function<std::string>(
         "--seed", [&o](const std::string& v) { o.seed = to_seed("--seed", v); }, "of the first run [1]")
      ->type_name("N");
  app.add_option_function<std::string>(
         "--runs", [&runs](const std::string& v) { runs = to_count("--runs", v, 1'000'000'000, 1); },
         "with this seed and those after it [1]")
      ->type_name("N");
  app.add_option_function<std::string>(
         "--events", [&o](const std::string& v) { o.events = to_count("--events", v, 4'000'000'000U, 1); },
         "segments and timers in a run [100000]")
      ->type_name("N");
  app.add_option("--json", path, "as JSON, a line for each run; - is standard output")->type_name("FILE|-");
  app.add_option("--log", log, "the run as an event log, for `replay`; of one preset and one seed")->type_name("FILE");
  if (!parse(app, argc, argv)) return 0;
  output_files files;
  std::string logged;
  if (!log.empty()) {
    if (one == nullptr || runs != 1) throw usage_error("--log: allowed with one --preset and --runs 1");
    files.add("--log", log);
    logged = listenq::testing::log_header(
        {{"composition", std::string(one->name)}, {"simulated", "seed " + std::to_string(o.seed)}});
    o.log = [&logged](const listenq::testing::log_entry& e) { logged.append(to_text(e)) += '\n'; };
  }
  if (app.get_option("--json")->count() > 0) files.add("--json", path, true);

  const style look = style::of_stdout();
  std::string lines;
  std::uint64_t broken = 0;
  std::uint64_t events = 0;
  for (std::uint64_t run = 0; run < runs; ++run, ++o.seed) {
    for (const preset_entry& p : all_presets()) {
      if (one != nullptr && one != &p) continue;
      const simulation_report r = searches_of(p).simulate(o);
      events += r.events;
      broken += r.broken ? 1 : 0;
      if (files.has("--json")) {
        lines += to_json(p, o.seed, r).dump() + '\n';
        continue;
      }
      std::cout << look.strong(p.name) << ", seed " << o.seed << ": " << to_text(r.against) << "; " << r.attempts
                << " attempts, " << r.served << " served; run " << hex(r.digest) << '\n';
      if (r.broken) {
        std::cout << look.bad(std::string("  breaks ") + about(*r.broken).name + ": " + about(*r.broken).sentence)
                  << '\n'
                  << "  again: lab simulate --preset " << p.name << " --seed " << o.seed << " --events " << r.broken_at
                  << '\n';
      }
    }
  }
  if (files.has("--log")) files.write("--log", logged);
  if (files.has("--json")) {
    files.write("--json", lines);
  } else {
    std::cout << events << " events, " << broken << (broken == 1 ? " run" : " runs") << " with a broken invariant\n";
  }
  return broken == 0 ? 0 : 1;
}

}  // namespace lab
