// SPDX-License-Identifier: BSL-1.0
#include "state.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

#include "interface.hpp"

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

}  // namespace

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
  for (const auto& a : s.addresses) std::cerr << ", " << programs::address_text(a);
  std::cerr << std::endl;
}

bool set_up(const std::string& interface, const settings& s) {
  if (s.setup.empty()) return true;
  const std::string failed = programs::set_up_interface(interface, s.setup, s.addresses);
  if (!failed.empty()) complain("failed: " + failed);
  return failed.empty();
}

}  // namespace tun_server
