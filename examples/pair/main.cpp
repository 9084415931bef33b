// SPDX-License-Identifier: BSL-1.0
// Does the same listener behave the same over every transport? The articles' server and its clients, in memory, between
// two threads, over UDP between two processes, and over a TUN interface with this machine's kernel as the client.
#include <CLI/CLI.hpp>
#include <iostream>

#include "alone.hpp"
#include "play.hpp"
#include "server.hpp"
#include "transports.hpp"

namespace {

using namespace pair;

struct way {
  const char* name;
  played (*play)(const settings&);
};
constexpr way ways[] = {
    {"memory", play_in_memory}, {"loopback", play_over_loopback}, {"udp", play_over_udp}, {"tun", play_over_tun}};

/// Each way in its turn. The status: 0 if all tables are the same, 1 if not, 77 if one could not be played.
int play_all(const settings& s, const std::vector<std::string>& chosen) {
  std::vector<std::string> first;
  std::string same, left_out;
  bool differ = false;
  for (const way& w : ways) {  // tun last: it leaves the network that udp needs
    if (std::find(chosen.begin(), chosen.end(), w.name) == chosen.end()) continue;
    const played p = w.play(s);
    std::cout << "over " << w.name << ": " << s.preset->name << ", listen(" << s.backlog << ")"
              << (s.abort_on_overflow ? ", tcp_abort_on_overflow" : "") << '\n';
    if (!p.trouble.empty()) {
      std::cout << "  not here: " << p.trouble << "\n\n" << std::flush;
      left_out = w.name;
      continue;
    }
    const std::vector<std::string> lines = lines_of(p.result);
    for (const std::string& l : lines) std::cout << "  " << l << '\n';
    std::cout << "  (" << counters_of(p.result) << ")\n\n" << std::flush;
    if (first.empty()) first = lines;
    differ = differ || lines != first;
    same += (same.empty() ? "" : ", ") + std::string(w.name);
  }
  if (same.find(',') != same.npos) std::cout << same << (differ ? ": they differ\n" : ": the same table\n");
  return differ ? 1 : left_out.empty() ? 0 : 77;
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  alone how;
  std::string preset = "linux-3.12", at = "127.0.0.1:7000";
  std::vector<std::string> over{"memory"};
  double sleep_s = 5;
  CLI::App app{"The articles' server and its clients over the transport of your choice."};
  app.require_subcommand(1);
  auto* const server =
      app.add_subcommand("server", "listen(), sleep, then accept() and echo; over udp or tun, until SIGINT or SIGTERM");
  auto* const client =
      app.add_subcommand("client", "connect() and 13 bytes; over udp, or over tun with the kernel's own sockets");
  auto* const both = app.add_subcommand(
      "pair", "both sides and a table of what each knows; several transports: are their tables the same?");
  for (CLI::App* role : {server, client}) {
    role->add_option("--over", over, "the transport")
        ->required()
        ->check(CLI::IsMember({"memory", "loopback", "udp", "tun"}))
        ->expected(1);
    role->add_option("--at", at, "over udp: where the server is [127.0.0.1:7000]")->type_name("ADDR:PORT");
  }
  both->add_option("--over", over, "memory, loopback, udp, tun, with commas between, or all [memory]")
      ->check(CLI::IsMember({"memory", "loopback", "udp", "tun", "all"}))
      ->delimiter(',');
  for (CLI::App* role : {server, both}) {
    role->add_option("--preset", preset, "whose listener [linux-3.12]")->type_name(preset_names());
    role->add_option("--backlog", s.backlog, "listen()'s second argument, any int [1]")->type_name("N");
    role->add_flag("--abort-on-overflow", s.abort_on_overflow, "tcp_abort_on_overflow 1");
  }
  server->add_option("--sleep", sleep_s, "seconds between listen() and accept() [5]")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("S");
  client->add_option("--clients", s.clients, "how many [1]")->check(CLI::Range(1, 1000))->type_name("N");
  both->add_option("--clients", s.clients, "how many [3]")->check(CLI::Range(1, 1000))->type_name("N");
  try {
    app.parse(argc, argv);
    s.preset = find_preset(preset);
    if (s.preset == nullptr) throw CLI::ValidationError("--preset", preset + " is none of " + preset_names());
    if (s.abort_on_overflow && !s.preset->knows_abort) {
      throw CLI::ValidationError("--abort-on-overflow", "means nothing to " + preset);
    }
    how.sleep = static_cast<duration>(sleep_s * static_cast<double>(second));
    const std::size_t colon = at.rfind(':');
    if (colon == at.npos) throw CLI::ValidationError("--at", at + " is not ADDR:PORT");
    how.address = at.substr(0, colon);
    if (!CLI::detail::lexical_cast(at.substr(colon + 1), how.port))
      throw CLI::ValidationError("--at", at + " is not ADDR:PORT");
    if (both->parsed()) {
      if (over.front() == "all") over = {"memory", "loopback", "udp", "tun"};
      return play_all(s, over);
    }
    if (over.front() == "memory" || over.front() == "loopback") {
      throw CLI::ValidationError("--over", over.front() + " is one process: `pair` plays both sides");
    }
    const bool udp = over.front() == "udp";
    if (server->parsed()) return udp ? serve_over_udp(s, how) : serve_over_tun(s, how);
    if (client->count("--clients") == 0) s.clients = 1;
    return udp ? connect_over_udp(s, how) : connect_over_tun(s, how);
  } catch (const CLI::ParseError& e) {
    return app.exit(e);
  }
}
