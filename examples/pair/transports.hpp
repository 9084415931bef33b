// SPDX-License-Identifier: BSL-1.0
// The four ways from the clients to the server. Each has a file: what it takes to make its two wires.
#pragma once

#include <string>
#include <string_view>

#include "nouns.hpp"

namespace pair {

/// A table, or why there is none.
struct played {
  table result{};
  std::string trouble{};
};

/// How and where a server or a client runs by itself.
struct alone {
  std::string address = "127.0.0.1";  ///< of UDP
  std::uint16_t port = 7000;          ///< of UDP
  duration sleep = 5 * second;        ///< between listen() and accept()
};

played play_in_memory(const settings&);
played play_over_loopback(const settings&);
played play_over_udp(const settings&);
played play_over_tun(const settings&);

/// Runs until SIGINT or SIGTERM; the exit status.
int serve_over_udp(const settings&, const alone&);
int serve_over_tun(const settings&, const alone&);
/// Runs until everybody has been served or given up; the exit status.
int connect_over_udp(const settings&, const alone&);
int connect_over_tun(const settings&, const alone&);

}  // namespace pair
