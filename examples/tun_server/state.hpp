// SPDX-License-Identifier: BSL-1.0
// What the server says about itself: one JSON line on standard output, sentences on standard error.
#pragma once

#include <cstdint>
#include <listenq/transport/framed.hpp>
#include <listenq/transport/host.hpp>
#include <string>
#include <utility>
#include <vector>

#include "settings.hpp"

namespace tun_server {

/// At one moment.
struct server_state {
  std::uint64_t accepted = 0;                                   ///< connections accepted so far
  std::uint64_t open = 0;                                       ///< accepted and not yet closed
  std::uint64_t connections = 0;                                ///< all, those in TIME-WAIT included
  std::uint64_t waiting = 0;                                    ///< in the accept queue
  std::uint64_t requests = 0;                                   ///< half-open
  std::uint64_t backlog = 0;                                    ///< as clamped
  std::vector<std::pair<const char*, std::uint64_t>> counters;  ///< under the preset's own names
  listenq::frame_counts frames{};
  listenq::host_counts host{};
};

void print(const server_state&);

/// Says why the server cannot go on; yields its exit status.
int complain(const std::string& why);

/// Says where it listens, on standard error.
void ready(const std::string& interface, const settings&);

/// Does what --setup asks for, with ip(8). False after a complaint.
bool set_up(const std::string& interface, const settings&);

}  // namespace tun_server
