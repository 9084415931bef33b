// SPDX-License-Identifier: BSL-1.0
#include <utility>
#include <vector>

#include "exports.hpp"

namespace explorer {

namespace {

/// The answers that differ from the defaults, slot by slot, as `describe` spells them; tunables apart.
std::vector<std::pair<std::string, std::string>> answers_of(const lab::preset_entry& p) {
  std::vector<std::pair<std::string, std::string>> all;
  const std::string text = p.describe();
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    const std::string line = text.substr(from, end - from);
    from = end + 1;
    const std::string slot = line.substr(0, line.find(' '));
    if (slot == "bytes" || slot == "tunables" || line.ends_with("(default)")) continue;
    all.emplace_back(slot, line.substr(line.find_first_not_of(' ', slot.size())));
  }
  return all;
}

std::string composition_of(const world_settings& s) {
  std::string text = "using door = listener<\n";
  for (const auto& [slot, policy] : answers_of(*s.preset)) text += "    " + slot + '<' + policy + ">,\n";
  std::string tuned;
  for (std::size_t i = 0; i < tunable_count; ++i) {
    const auto t = static_cast<tunable>(i);
    if (!s.preset->reads(t)) continue;
    tuned += (tuned.empty() ? "" : ",\n                      ") + ("tuned<tunable::" + std::string(name_of(t))) + ", " +
             std::to_string(s.value(t)) + '>';
  }
  return text + "    tunables<defaults<" + tuned + ">>>;\n";
}

std::string flags_text(flags f) {
  constexpr std::pair<flags, const char*> names[] = {
      {flag::syn, "flag::syn"}, {flag::fin, "flag::fin"}, {flag::rst, "flag::rst"}, {flag::psh, "flag::psh"},
      {flag::ack, "flag::ack"}, {flag::urg, "flag::urg"}, {flag::ece, "flag::ece"}, {flag::cwr, "flag::cwr"}};
  std::string text;
  for (const auto& [bit, name] : names) {
    if (f.has(bit)) text += (text.empty() ? "" : " | ") + std::string(name);
  }
  return text.empty() ? "flag::none" : text;
}

std::string call_text(const call& c) {
  const std::string at = std::to_string(c.at);
  switch (c.kind) {
    case call::what::listen:
      return "listen(" + at + ", " + std::to_string(c.backlog) + ");";
    case call::what::accept:
      return "accept(" + at + ");";
    case call::what::close:
      return "close(" + at + ");";
    case call::what::set:
      return "set(" + at + ", tunable::" + name_of(c.which) + ", " + std::to_string(c.value) + ");";
    case call::what::segment:
      break;
  }
  const std::uint32_t a = c.from.address.value;
  std::string who = "ip(";
  for (int shift = 24; shift >= 0; shift -= 8) who += std::to_string(a >> shift & 255) + (shift > 0 ? ", " : ")");
  const bool plain = c.from.address == lab::loopback;
  return std::string(plain ? "client(" : "stranger(") + at + ", " + (plain ? "" : who + ", ") +
         std::to_string(c.from.port) + ", " + flags_text(c.flags) +
         (c.bytes > 0 ? ", " + std::to_string(c.bytes) : "") + ");";
}

constexpr const char* stack_text = R"(
// What a stack does for its listener: it sends, and it makes a connection when a handshake is finished.
struct stack {
  std::map<std::uint16_t, seq_number> iss;  // ours, by the client's port

  send_result send(const segment& s) {
    if (s.flags.has(flag::syn)) iss[s.destination.port] = s.seq;
    return send_result::sent;
  }
  bool make_child(const handshake&, const segment&) { return true; }
  void reset_child(const four_tuple&) {}
};

struct play {
  door server;
  stack net;
  std::array<std::byte, 2048> zeros{};

  void run_until(instant at) {
    for (auto due = server.next_deadline(); due && *due < at; due = server.next_deadline()) server.tick(*due, net);
  }
  void listen(instant at, int backlog) {
    run_until(at);
    server.listen(backlog, at);
    std::printf("%11.6f  listen(%d)\n", static_cast<double>(at) / 1e6, backlog);
  }
  void client(instant at, std::uint16_t port, flags f, std::size_t bytes = 0) {
    stranger(at, ip(127, 0, 0, 1), port, f, bytes);
  }
  void stranger(instant at, ipv4::address who, std::uint16_t port, flags f, std::size_t bytes = 0) {
    run_until(at);
    segment s;
    s.source = {who, port};
    s.destination = {ip(127, 0, 0, 1), 20000};
    s.flags = f;
    s.seq = f.has(flag::syn) ? 1000 : 1001;
    s.ack = f.has(flag::ack) ? net.iss[port] + 1 : 0;
    s.payload = {zeros.data(), bytes};
    const outcome o = server.receive(s, at, net);
    std::printf("%11.6f  port %d: %s\n", static_cast<double>(at) / 1e6, port, name_of(o.verdict));
  }
  void accept(instant at) {
    run_until(at);
    const auto a = server.accept(at);
    std::printf("%11.6f  accept(): port %d\n", static_cast<double>(at) / 1e6, a ? a.handle.peer_port : 0);
  }
  void set(instant at, tunable t, std::uint32_t value) {
    run_until(at);
    server.set(t, value, at);
  }
  void close(instant at) {
    run_until(at);
    server.close(net, at);
  }

  void run() {
)";

}  // namespace

std::string as_program(const live_world& w) {
  const world_settings& s = w.settings();
  std::string text = "// The listener of " + std::string(s.preset->title) +
                     ", and what has been done to it. Build it with listenq's headers:\n"
                     "//   g++ -std=c++20 -Iinclude door.cpp && ./a.out\n"
                     "#include <array>\n#include <cstdio>\n#include <listenq/listener.hpp>\n#include <map>\n\n"
                     "using namespace listenq;\n\n";
  text += composition_of(s) + stack_text;
  for (const call& c : w.calls()) text += "    " + call_text(c) + '\n';
  if (w.calls().size() == live_world::most_calls) text += "    // More has been done to it than is written here.\n";
  text += "    run_until(" + std::to_string(w.now() + 1) + ");\n";
  text +=
      R"(    std::printf("%u requests, %u connections wait for accept()\n", server.request_count(), server.accept_count());
  }
};

int main() {
  play all;
  all.run();
}
)";
  return text;
}

}  // namespace explorer
