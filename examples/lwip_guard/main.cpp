// SPDX-License-Identifier: BSL-1.0
// Can the listener protect a stack that is not its own? Yes: it stands in front of lwIP, which has no SYN cookies and
// takes a whole PCB for each SYN, and hands it the handshakes that are finished.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iterator>
#include <string>

#include "experiment.hpp"

namespace {

using namespace lwip_guard;

constexpr const char* description =
    "A flood of spoofed SYNs against an echo server on lwIP, without and with a listener of listenq in front of it.\n"
    "All of it happens in memory and in virtual time; lwIP is the machine's liblwip, as it is.";

std::string text(const honest& c) {
  if (!c.connected) return "never connected";
  const char* how = c.intact ? "intact" : c.was_reset ? "then reset" : "so far";
  return std::to_string(c.waited / listenq::millisecond) + " ms, " + std::to_string(c.echoed) + " bytes " + how;
}

void print_head() {
  std::printf("| %-24s | %6s | %8s | %6s | %9s | %6s | %-27s | %-27s |\n", "", "SYNs", "SYN-ACKs", "PCBs", "bytes",
              "guard", "client with options", "client without options");
  std::printf("|:--|--:|--:|--:|--:|--:|:--|:--|\n");
  std::fflush(stdout);  // before the experiments fork
}

void print(const std::string& name, const result& r) {
  std::printf("| %-24s | %6zu | %8zu | %6zu | %9zu | %6zu | %-27s | %-27s |\n", name.c_str(), r.syns, r.syn_acks,
              r.pcbs, r.bytes, r.guard_bytes, text(r.clients[0]).c_str(), text(r.clients[1]).c_str());
  std::fflush(stdout);
}

std::string text(const listenq::tcp_options& o) {
  return "MSS " + std::to_string(o.mss) +
         (o.has_window_scale() ? ", window scale " + std::to_string(o.window_scale) : ", no window scale") +
         (o.sack_permitted ? ", SACK" : ", no SACK") + (o.timestamps ? ", timestamps" : ", no timestamps");
}

void print_legend(const result& behind_guard) {
  std::printf(
      "\nPCBs, bytes: the most that lwIP had taken when the clients came, eight seconds into the flood. guard: bytes "
      "of\n"
      "the guard, whatever comes. Clients: how long connect took, and what came back of what they sent.\n\n"
      "Behind the guard, lwIP's application was given %zu connections. Agreed with the clients:\n  %s\n  %s\n"
      "The widest window that they were offered is %zu bytes.\n",
      behind_guard.accepted, text(behind_guard.clients[0].agreed).c_str(), text(behind_guard.clients[1].agreed).c_str(),
      behind_guard.widest);
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t syns = 10000;
  std::size_t pool = 64;
  std::size_t bytes = 100000;
  CLI::App app{description};
  const auto option = [&app](const char* name, std::size_t& value, const char* what, std::size_t least,
                             std::size_t most) {
    app.add_option(name, value, what)->capture_default_str()->check(CLI::Range(least, most));
  };
  option("--syns", syns, "spoofed SYNs in ten seconds", 0, 50000);
  option("--pcbs", pool, "size of the pool of PCBs (MEMP_NUM_TCP_PCB)", 1, 65535);
  option("--bytes", bytes, "that each client sends and wants back", 1, 100'000'000);
  CLI11_PARSE(app, argc, argv);

  const setting settings[] = {{false, 0, syns, bytes}, {false, pool, syns, bytes}, {true, pool, syns, bytes}};
  const std::string names[] = {"lwIP, PCBs from malloc", "lwIP, pool of " + std::to_string(pool),
                               "guard, lwIP, pool of " + std::to_string(pool)};
  print_head();
  std::optional<result> last;
  for (std::size_t i = 0; i < std::size(settings); ++i) {
    last = run(settings[i]);
    if (!last) {
      std::fprintf(stderr, "lwip_guard: the experiment with %s failed\n", names[i].c_str());
      return 1;
    }
    print(names[i], *last);
  }
  print_legend(*last);
  return 0;
}
