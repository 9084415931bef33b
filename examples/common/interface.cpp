// SPDX-License-Identifier: BSL-1.0
#include "interface.hpp"

#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <listenq/transport/text.hpp>
#include <thread>

extern char** environ;

namespace programs {

using namespace listenq;

namespace {

/// The command as one line if it failed.
std::string run(const std::vector<std::string>& command) {
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
  return ok ? std::string{} : line;
}

/// Is there a route to that address? The kernel makes it for a peer's, but some time after ip(8) has returned.
bool has_route(const std::string& interface, const dual::address& to) {
  std::array<char, 37> wanted{};  // address and prefix length, as /proc has them
  std::snprintf(wanted.data(), wanted.size(), "%08x%08x%08x%08x 80", to.value[0], to.value[1], to.value[2],
                to.value[3]);
  std::ifstream routes("/proc/self/net/ipv6_route");
  for (std::string route; std::getline(routes, route);) {
    if (route.starts_with(wanted.data()) && route.ends_with(interface)) return true;
  }
  return false;
}

bool wait_for_route(const std::string& interface, const dual::address& to) {
  for (int i = 0; i < 1000; ++i) {
    if (has_route(interface, to)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return false;
}

}  // namespace

std::string address_text(const dual::address& a) {
  return dual::is_mapped(a) ? to_text(ipv4::address{a.value[3]}) : to_text(a);
}

std::string set_up_interface(const std::string& interface, const std::vector<dual::address>& theirs,
                             const std::vector<dual::address>& ours) {
  // Up first: the route to an IPv6 peer is only made on an interface that is.
  std::string failed = run({"ip", "link", "set", interface, "up"});
  for (const dual::address& their : theirs) {
    for (const dual::address& our : ours) {
      if (!failed.empty() || dual::is_mapped(their) != dual::is_mapped(our)) continue;
      std::vector<std::string> command{"ip",   "address",         "add", address_text(their),
                                       "peer", address_text(our), "dev", interface};
      if (!dual::is_mapped(our)) command.emplace_back("nodad");
      failed = run(command);
      if (failed.empty() && !dual::is_mapped(our) && !wait_for_route(interface, our)) {
        failed = "no route to " + address_text(our) + " has come";
      }
    }
  }
  return failed;
}

}  // namespace programs
