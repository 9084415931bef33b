// SPDX-License-Identifier: BSL-1.0
// One run as the options say, as text, JSON, capture, diagram or page.
#include <iostream>
#include <nlohmann/json.hpp>

#include "capture.hpp"
#include "command_line.hpp"
#include "commands.hpp"
#include "html_page.hpp"
#include "json_record.hpp"
#include "output_files.hpp"
#include "report.hpp"
#include "world.hpp"

namespace lab {

namespace {

constexpr const char* introduction =
    "The articles' experiments with listen(fd, backlog), on a listener of this library, in virtual time.\n\n"
    "  (nothing, or --proc)    the three experiments of the articles, explained step by step\n"
    "  options                 one run of your own\n"
    "  explain --help          what does listen(N) allow?\n"
    "  matrix --help           all presets against all scenarios\n"
    "  explore --help          all that can happen to a few clients\n"
    "  simulate --help         thousands of clients, and everything that can go wrong\n"
    "  attacks --help          all presets against floods, storms and stalls\n"
    "  replay --help           a server's capture, or an event log, under other presets\n"
    "  inject --help           timed segments in, answers out";

constexpr const char* epilogue =
    "Time 0 is listen(); client i (port 30001+i) starts at 0.3 + i x gap. Times are in seconds.\n\n"
    "The first article's trace shows a SYN-ACK resent 4.41 s after its SYN. It was taken on a 2.6.3x\n"
    "kernel, where a hand visits 2 of 16 buckets every 200 ms from 3.0 s on, so that a SYN-ACK is resent\n"
    "between 3.0 and 4.4 s, by the bucket of its request. A seed that gives the third client 4.4 s:\n"
    "  lab --preset linux-2.6.32 --seed 2";

accept_rule to_accept(const std::string& text) {
  constexpr const char* allowed = "never, always, at=SECONDS, once=SECONDS";
  using kind = accept_rule::kind;
  if (text == "never") return {kind::never};
  if (text == "always") return {kind::always};
  for (const auto& [word, k] : {std::pair{"at=", kind::from}, std::pair{"once=", kind::once}}) {
    if (!text.starts_with(word)) continue;
    try {
      return {k, to_duration("--accept", text.substr(std::string(word).size()))};
    } catch (const usage_error&) {
      break;
    }
  }
  refuse("--accept", text, allowed);
}

}  // namespace

int run_command(int argc, const char* const* argv) {
  CLI::App app(introduction, "lab");
  app.footer(epilogue);
  settings s;
  preset_options which(app);
  const auto value = [&app](const char* name, const char* type, const char* help, auto set) {
    app.add_option_function<std::string>(
           name, [name, set](const std::string& v) { set(name, v); }, help)
        ->type_name(type);
  };
  const auto time = [&value](const char* name, const char* help, auto set) {
    value(name, "SECONDS", help, [set](const char* n, const std::string& v) { set(to_duration(n, v)); });
  };
  std::string json_path;
  std::string pcap_path;
  std::string mermaid_path;
  std::string html_path;
  bool proc = false;
  constexpr int most_clients = first_preload_port - first_client_port;
  value("--clients", "N", "how many clients [3]", [&s](const char* n, const std::string& v) {
    s.clients = static_cast<unsigned>(to_int(n, v, 0, most_clients));
  });
  time("--gap", "between two clients' starts; 0: all at once [0.1]", [&s](duration d) { s.gap = d; });
  value("--accept", "never|always|at=T|once=T", "when the server accepts; at=T: from T on, once=T: only then [never]",
        [&s](const char*, const std::string& v) { s.accept = to_accept(v); });
  value("--data-after", "SECONDS|never", "each client sends 13 bytes so long after its connect succeeded [2]",
        [&s](const char* n, const std::string& v) {
          s.data_after =
              v == "never" ? std::nullopt : std::optional(to_duration(n, v, "seconds, 0..31536000, or never"));
        });
  app.add_flag("--fast-open", s.fast_open,
               "the clients send their bytes with the SYN once they have a cookie; the server lets them (--fastopen 3 "
               "--fastopen-qlen 16 unless given)");
  app.add_flag("--echo", s.echo, "the articles' loop: the server answers, the client sends again");
  value("--preload", "N", "connections finished before, ports 42001 and up, never sending [0]",
        [&s](const char* n, const std::string& v) { s.preload = to_count(n, v, 20000); });
  time("--lose-acks-until", "the clients' segments without SYN are lost until then [0]",
       [&s](duration d) { s.lose_acks_until = d; });
  value("--loss", "P", "probability that a segment is lost, 0..1 [0]",
        [&s](const char* n, const std::string& v) { s.loss = to_probability(n, v); });
  time("--rtt", "there and back [0.00002]", [&s](duration d) { s.rtt = d; });
  time("--wakeup", "from the SYN-ACK's arrival to connect()'s return [0.00005]", [&s](duration d) { s.wakeup = d; });
  value("--seed", "N", "of all that is random: keys, ISNs, losses [1]",
        [&s](const char* n, const std::string& v) { s.seed = to_seed(n, v); });
  time("--until", "the run's end", [&s](duration d) { s.until = d; });
  app.add_option("--json", json_path, "the run as JSON, keys as in the recordings; - is standard output")
      ->type_name("FILE|-");
  app.add_option("--pcap", pcap_path, "a pcapng capture")->type_name("FILE");
  app.add_option("--mermaid", mermaid_path, "a sequence diagram")->type_name("FILE");
  app.add_option("--html", html_path, "the whole run as one page for a browser, as a bug report needs it")
      ->type_name("FILE");
  app.add_flag("--proc", proc, "socket tables as /proc/net/tcp has them");
  if (!parse(app, argc, argv)) return 0;

  std::size_t given = 0;
  for (const CLI::Option* o : app.get_options()) given += o->count() > 0 ? 1 : 0;
  if (given == (proc ? 1U : 0U)) return experiments(proc);

  if (s.fast_open && which.preset->reads(tunable::fastopen)) {
    which.tunables.try_emplace(tunable::fastopen, 3);
    which.tunables.try_emplace(tunable::fastopen_qlen, 16);
  }
  which.check();
  s.preset = which.preset;
  s.backlog = which.backlog;
  s.tunables = which.tunables;
  output_files files;
  for (const auto& [option, path, dash] :
       {std::tuple{"--json", &json_path, true}, std::tuple{"--pcap", &pcap_path, false},
        std::tuple{"--mermaid", &mermaid_path, false}, std::tuple{"--html", &html_path, false}}) {
    if (app.get_option(option)->count() > 0) files.add(option, *path, dash);
  }
  if (const std::string o = objection(s); !o.empty()) throw usage_error(o);

  const record r = simulate(s);
  if (files.has("--json")) files.write("--json", to_json(s, r).dump() + '\n');
  if (files.has("--pcap")) files.write("--pcap", as_pcapng(r.packets));
  if (files.has("--mermaid")) files.write("--mermaid", as_mermaid(r.packets));
  if (files.has("--html")) files.write("--html", as_html(s, r));
  if (!files.has("--json")) print_report(std::cout, s, r, proc);
  return 0;
}

}  // namespace lab
