// SPDX-License-Identifier: BSL-1.0
// What the server is asked to do: the command line as values.
#pragma once

#include <cstdint>
#include <listenq/address.hpp>
#include <listenq/policy/tunables.hpp>
#include <map>
#include <string>
#include <vector>

namespace tun_server {

struct settings {
  std::string tun = "lq0";
  std::vector<listenq::dual::address> addresses;
  std::vector<listenq::dual::address> setup;  ///< the kernel's end of the interface; empty: configure nothing
  std::uint16_t port = 80;
  int backlog = 8;
  unsigned accept = 64;  ///< connections that may be open at a time; 0: accept() is never called
  std::map<listenq::tunable, std::uint32_t> tunables;
  std::string pcap;  ///< file name; empty: none
  double loss = 0;   ///< 0..1, each way
  std::uint64_t seed = 1;
};

}  // namespace tun_server
