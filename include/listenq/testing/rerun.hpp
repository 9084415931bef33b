// SPDX-License-Identifier: BSL-1.0
// rerun: what would another listener have made of it? Plays the inputs of an event log, a capture's or a recorded
// run's, to a listener of any composition. Its ISNs and its clock are its own, so what clients acknowledge and echo is
// translated, a wrong number into one that is wrong by as much. The world reacts as far as a log can tell:
//
// - what a client said to an answer that it does not get here is withheld, and so is what it said after a RST;
// - a client that finished its handshake in the log, and gets no answer here, sends its SYN again after 1, 3, 7, 15, 31
//   and 63 s, and acknowledges whatever SYN-ACK comes, after its own time there and back (`persistent`);
// - a client that was never answered in the log cannot be told from a forged one and says what it said there;
// - a connection takes its segments until a RST, or a SYN after a FIN.
//
// It is no simulation: clients do not slow down, networks do not fill up, and nobody comes later for being served
// later.
#pragma once

#include <listenq/testing/recording.hpp>
#include <listenq/testing/rerun/logged_attempts.hpp>
#include <listenq/testing/rerun/options.hpp>
#include <listenq/testing/rerun/report.hpp>
#include <listenq/testing/rerun/rerunner.hpp>

namespace listenq::testing {

/// Plays what came in to `door`, which has not listened yet, and says what became of it. `there` must outlive the call.
template <loggable L>
rerun_report rerun(const logged_attempts& there, L& door, const rerun_options& o = {}) {
  return detail::rerunner<L>(there, door, o).run();
}

}  // namespace listenq::testing
