// SPDX-License-Identifier: BSL-1.0
// What is told of a script with which something is wrong: the difference and the way there.
#pragma once

#include <cstdint>
#include <listenq/outcome.hpp>
#include <listenq/segment.hpp>
#include <listenq/testing/model/command.hpp>
#include <listenq/testing/model/compare.hpp>
#include <listenq/time.hpp>
#include <string>
#include <vector>

namespace listenq::testing {

/// A segment that passed while a script was played; its payload is gone.
struct passed_segment {
  instant at = 0;
  listenq::segment segment{};
};

/// A command, when it was played, and what became of it.
struct played_command {
  command what{};
  instant at = 0;
  std::vector<verdict> verdicts{};
  std::uint32_t requests = 0, young = 0, waiting = 0;
};

/// What went wrong with a script, and the way there.
struct failure {
  difference wrong{};
  std::string name{};  ///< of the composition
  int backlog = 0;
  std::vector<played_command> history{};  ///< the last one is where it went wrong
  std::vector<passed_segment> passed{};   ///< both ways
  bool listening = false;
  std::uint64_t n = 0;                     ///< the backlog that is in force
  std::vector<four_tuple> requests_due{};  ///< what there should have been
  std::vector<four_tuple> waiting_due{};
  std::vector<four_tuple> requests{};  ///< what there was
  std::vector<four_tuple> waiting{};

  std::string text() const {
    std::string s = name + ", listen(" + std::to_string(backlog) + ")\n";
    for (std::size_t i = 0; i < history.size(); ++i) {
      const played_command& c = history[i];
      s += "  #" + std::to_string(i) + "  t=" + time_text(c.at) + "  " + to_text(c.what);
      for (const verdict v : c.verdicts) s += std::string{" -> "} + name_of(v);
      s += "   Q " + std::to_string(c.requests) + " Y " + std::to_string(c.young) + " A " + std::to_string(c.waiting) +
           '\n';
    }
    return s + wrong.text() + '\n';
  }
};

}  // namespace listenq::testing
