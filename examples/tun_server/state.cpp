// SPDX-License-Identifier: BSL-1.0
#include "state.hpp"

#include <spawn.h>
#include <sys/wait.h>

#include <iostream>
#include <listenq/transport/text.hpp>
#include <nlohmann/json.hpp>
#include <vector>

extern char** environ;

namespace tun_server {

using namespace listenq;

namespace {

nlohmann::json json_of(const frame_counts& f) {
  nlohmann::json refused = nlohmann::json::object();
  for (std::size_t i = 1; i < wire::parse_error_count; ++i) {
    refused[wire::name(static_cast<wire::parse_error>(i))] = f.refused[i];
  }
  std::uint64_t faults = 0;
  for (std::size_t i = 1; i < wire::option_fault_count; ++i) faults += f.with_faults[i];
  nlohmann::json bad_errors = nlohmann::json::object();
  for (std::size_t i = 2; i < wire::quote_error_count; ++i) {
    bad_errors[wire::name(static_cast<wire::quote_error>(i))] = f.bad_errors[i];
  }
  return {{"received", f.received}, {"segments", f.segments},     {"echoes", f.echoes}, {"bad_echoes", f.bad_echoes},
          {"not_ours", f.not_ours}, {"bad_source", f.bad_source}, {"refused", refused}, {"option_faults", faults},
          {"sent", f.sent},         {"not_sent", f.not_sent},     {"errors", f.errors}, {"bad_errors", bad_errors}};
}

bool run(const std::vector<std::string>& command) {
  std::vector<char*> words;
  std::string line;
  for (const std::string& w : command) {
    words.push_back(const_cast<char*>(w.c_str()));
    line += (line.empty() ? "" : " ") + w;
  }
  words.push_back(nullptr);
  pid_t child = 0;
  int status = 0;
  const bool ok = posix_spawnp(&child, words[0], nullptr, nullptr, words.data(), environ) == 0 &&
                  waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (!ok) complain("failed: " + line);
  return ok;
}

}  // namespace

std::string address_text(const dual::address& a) {
  return dual::is_mapped(a) ? to_text(ipv4::address{a.value[3]}) : to_text(a);
}

void print(const server_state& s) {
  nlohmann::json counters = nlohmann::json::object();
  for (const auto& [name, value] : s.counters) counters[name] = value;
  nlohmann::json errors = nlohmann::json::object();
  for (std::size_t i = 0; i < icmp_verdict_count; ++i) {
    errors[name_of(static_cast<icmp_verdict>(i))] = s.host.errors[i];
  }
  const nlohmann::json host = {{"to_connections", s.host.to_connections},
                               {"to_listeners", s.host.to_listeners},
                               {"to_nobody", s.host.to_nobody},
                               {"children", s.host.children},
                               {"refused", s.host.refused},
                               {"errors", errors}};
  const nlohmann::json all = {{"accepted", s.accepted},
                              {"open", s.open},
                              {"connections", s.connections},
                              {"waiting", s.waiting},
                              {"requests", s.requests},
                              {"backlog", s.backlog},
                              {"counters", counters},
                              {"frames", json_of(s.frames)},
                              {"host", host}};
  std::cout << all << std::endl;
}

int complain(const std::string& why) {
  std::cerr << "tun_server: " << why << '\n';
  return 1;
}

void ready(const std::string& interface, const settings& s) {
  std::cerr << "Listening on " << interface << ", port " << s.port;
  for (const auto& a : s.addresses) std::cerr << ", " << address_text(a);
  std::cerr << std::endl;
}

bool set_up(const std::string& interface, const settings& s) {
  if (s.setup.empty()) return true;
  // Up first: the route to an IPv6 peer is only made on an interface that is.
  if (!run({"ip", "link", "set", interface, "up"})) return false;
  for (const dual::address& theirs : s.setup) {
    for (const dual::address& ours : s.addresses) {
      if (dual::is_mapped(theirs) != dual::is_mapped(ours)) continue;
      std::vector<std::string> command{"ip",   "address",          "add", address_text(theirs),
                                       "peer", address_text(ours), "dev", interface};
      if (!dual::is_mapped(ours)) command.emplace_back("nodad");
      if (!run(command)) return false;
    }
  }
  return true;
}

}  // namespace tun_server
