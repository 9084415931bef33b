// SPDX-License-Identifier: BSL-1.0
// Can a real kernel be the client? Yes: this serves HTTP to curl and to a browser through a TUN interface, with a
// listener of the library, its connections and nothing of the kernel's TCP on our side.
#include <arpa/inet.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <limits>
#include <listenq/wire/checksum.hpp>
#include <optional>

#include "presets.hpp"

namespace {

using namespace tun_server;
using listenq::tunable;

constexpr const char* description =
    "An HTTP server on a TUN interface: the machine's own kernel is the client, listenq the listener.\n"
    "It makes the interface and, unless --setup asks for it, configures nothing. It needs CAP_NET_ADMIN;\n"
    "in a network namespace of your own, such as `unshare --user --map-root-user --net` makes, you have it.\n"
    "GET / says hello, GET /bytes/N yields N bytes, POST /echo gives the body back. SIGUSR1 prints the\n"
    "counters as a line of JSON; SIGINT and SIGTERM print it, too, and end the server.";

std::optional<listenq::dual::address> to_address(const std::string& text) {
  std::array<std::byte, 16> b{};
  if (inet_pton(AF_INET, text.c_str(), b.data()) == 1) return listenq::dual::mapped({listenq::wire::load32(b.data())});
  if (inet_pton(AF_INET6, text.c_str(), b.data()) != 1) return std::nullopt;
  listenq::dual::address a;
  for (std::size_t i = 0; i < 4; ++i) a.value[i] = listenq::wire::load32(b.data() + 4 * i);
  return a;
}

std::vector<listenq::dual::address> to_addresses(const char* option, const std::vector<std::string>& texts) {
  std::vector<listenq::dual::address> all;
  for (const std::string& t : texts) {
    const auto a = to_address(t);
    if (!a) throw CLI::ValidationError(option, t + " is not an IPv4 or IPv6 address");
    all.push_back(*a);
  }
  return all;
}

std::string option_of(tunable t) {
  std::string s = std::string("--") + listenq::name_of(t);
  std::replace(s.begin(), s.end(), '_', '-');
  return s;
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  std::string preset = "linux-6.18";
  std::vector<std::string> addresses{"10.77.0.2", "fd77::2"};
  std::vector<std::string> setup;
  CLI::App app{description};
  app.get_formatter()->column_width(32);
  app.add_option("--tun", s.tun, "name of the interface [lq0]")->type_name("NAME");
  app.add_option("--address", addresses, "an address of ours, may be repeated [10.77.0.2 and fd77::2]")
      ->type_name("ADDR")
      ->take_all();
  app.add_option(
         "--setup", setup,
         "set the interface up and give the kernel's end this address (ip link set NAME up; ip address add ADDR "
         "peer <ours> dev NAME); once for each family")
      ->type_name("ADDR")
      ->take_all();
  app.add_option("--port", s.port, "TCP port [80]")->check(CLI::Range(1, 65535))->type_name("N");
  app.add_option("--preset", preset, "whose listener [linux-6.18]")->type_name(preset_names());
  app.add_option("--backlog", s.backlog, "listen()'s second argument, any int [8]")->type_name("N");
  app.add_option("--accept", s.accept, "at most N accepted connections at a time; 0: accept() is never called [64]")
      ->type_name("N");
  for (std::size_t i = 0; i < listenq::tunable_count; ++i) {
    const auto t = static_cast<tunable>(i);
    app.add_option_function<std::uint32_t>(
           option_of(t), [&s, t](std::uint32_t v) { s.tunables[t] = v; }, "as the sysctl of that name")
        ->check(CLI::Range(std::uint32_t{0}, listenq::max_of(t)))
        ->type_name("N");
  }
  app.add_option("--pcap", s.pcap, "write all packets to a file for Wireshark")->type_name("FILE");
  app.add_option("--loss", s.loss, "probability that a segment is lost, each way [0]")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("P");
  app.add_option("--seed", s.seed, "of what is drawn for --loss [1]")->type_name("N");
  try {
    app.parse(argc, argv);
    const preset_entry* p = find_preset(preset);
    if (p == nullptr) throw CLI::ValidationError("--preset", preset + " is none of " + preset_names());
    for (const auto& [t, value] : s.tunables) {
      if (!p->reads(t)) throw CLI::ValidationError(option_of(t), "means nothing to " + preset);
    }
    s.addresses = to_addresses("--address", addresses);
    s.setup = to_addresses("--setup", setup);
    return p->serve(s);
  } catch (const CLI::ParseError& e) {
    return app.exit(e);
  }
}
