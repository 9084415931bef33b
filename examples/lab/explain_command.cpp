// SPDX-License-Identifier: BSL-1.0
// What does listen(N) allow under a preset? `explain` and `describe` of the library, as text or JSON.
#include <iostream>
#include <nlohmann/json.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "output_files.hpp"
#include "style.hpp"

namespace lab {

namespace {

using json = nlohmann::ordered_json;

json number_or_null(const std::optional<std::uint32_t>& n) { return n ? json(*n) : json(nullptr); }
double seconds(duration d) { return static_cast<double>(d) / 1e6; }

const char* word_for(cookie_mode m) {
  switch (m) {
    case cookie_mode::off:
      return "off";
    case cookie_mode::under_pressure:
      return "under_pressure";
    case cookie_mode::beside_requests:
      return "beside_requests";
    case cookie_mode::always:
      return "always";
  }
  return "?";
}

json to_json(const preset_options& which, const explanation& e) {
  json times = json::array();
  for (std::size_t i = 0; i < e.syn_acks(); ++i) times.push_back(seconds(e.syn_ack_at[i]));
  json tunables = json::object();
  for (std::size_t i = 0; i < tunable_count; ++i) {
    const auto t = static_cast<tunable>(i);
    if (which.preset->reads(t)) tunables[name_of(t)] = which.preset->value(t, which.tunables);
  }
  return {{"preset", which.preset->name},
          {"requested", e.requested},
          {"backlog", e.backlog},
          {"tunables", tunables},
          {"accept_slots", e.accept_slots},
          {"request_slots", e.request_slots},
          {"unproven_slots", e.unproven_slots},
          {"buckets", e.buckets},
          {"young_when_full", number_or_null(e.young_when_full)},
          {"pruning_from", number_or_null(e.pruning_from)},
          {"cookies", word_for(e.cookies)},
          {"retries", e.retries},
          {"syn_ack_at_s", times},
          {"dies_at_s", seconds(e.dies_at)},
          {"pruned_at_s", seconds(e.pruned_at)},
          {"late_by_s", seconds(e.late_by)}};
}

}  // namespace

int explain_command(int argc, const char* const* argv) {
  CLI::App app("What listen(N) allows under a preset.", "lab explain");
  preset_options which(app);
  std::string path;
  bool policies = false;
  app.add_option("--json", path, "as JSON; - is standard output")->type_name("FILE|-");
  app.add_flag("--policies", policies, "the composition too: the answer to every slot");
  if (!parse(app, argc, argv)) return 0;
  which.check();
  output_files files;
  if (app.get_option("--json")->count() > 0) files.add("--json", path, true);
  const explanation e = which.preset->explain(which.backlog, which.tunables);
  if (files.has("--json")) {
    files.write("--json", to_json(which, e).dump() + '\n');
    return 0;
  }
  const style look = style::of_stdout();
  std::cout << look.heading(std::string(which.preset->title) + ": listen(fd, " + std::to_string(which.backlog) + ")")
            << '\n'
            << to_text(e);
  if (policies) std::cout << '\n' << which.preset->describe();
  return 0;
}

}  // namespace lab
