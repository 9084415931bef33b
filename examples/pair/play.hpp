// SPDX-License-Identifier: BSL-1.0
// The experiment, step by step, whatever is between the two sides.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "clients.hpp"
#include "nouns.hpp"
#include "remote.hpp"

namespace pair {

/// What an experiment is played in.
struct stage {
  clients& them;
  std::function<void()> wake_server;
  std::function<server_view()> look_at_server;
  std::function<instant()> now;
  /// Lets time pass until `done()`, `at_most` microseconds.
  std::function<void(const std::function<bool()>& done, duration at_most)> wait;
};

table play(const settings&, const stage&);

/// A stage in real time whose server is elsewhere.
table play_with(const settings&, clients&, remote_server&);
/// Waits in real time, on the clients' descriptor.
void wait_really(clients&, const std::function<bool()>& done, duration at_most);

/// A line for each client, and one for the server.
std::vector<std::string> lines_of(const table&);
std::vector<std::string> lines_of(const look&);
/// The server's counters at the end. How often a queue was full depends on how often somebody tried again.
std::string counters_of(const table&);

}  // namespace pair
