// SPDX-License-Identifier: BSL-1.0
// Counters as one line of text, so that a test compares all of them at once.
#pragma once

#include <listenq/policy/counters.hpp>
#include <string>

namespace listenq::test {

/// The counters that differ, by their kernel names without prefix: "ListenOverflows=1 ListenDrops=1".
inline std::string counters_text(const counter_values& now, const counter_values& before = {}) {
  std::string t;
  for (const counter_name& c : counter_names) {
    if (now.*c.value == before.*c.value) continue;
    std::string name = c.name;
    name = name.substr(name.rfind("TcpExt", 0) == 0 ? 6 : 3);
    t += (t.empty() ? "" : " ") + name + "=" + std::to_string(now.*c.value - before.*c.value);
  }
  return t;
}

}  // namespace listenq::test
