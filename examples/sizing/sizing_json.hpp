// SPDX-License-Identifier: BSL-1.0
// The question and its answer as JSON, for programs and for the explorer's page.
//
// Request: rate (clients a second); optional burst, stall, every, service, rtt, deadline, never_ack, syns ("doubling",
// or "linear" as Linux 6.5 and later repeat them), preset, tunables, backlogs, seed, clients. Times are microseconds,
// shares 0..1; `do` is ignored. A number of the answer has six digits, so that it is the same on every machine.
#pragma once

#include <nlohmann/json.hpp>

#include "sizing.hpp"

namespace calculator {

/// The answer, or {"error": sentence}. At most a few microseconds for each of `clients` and those who come beside them.
nlohmann::ordered_json sizing(const nlohmann::ordered_json& request);

nlohmann::ordered_json to_json(const question& q, const answer& a);

}  // namespace calculator
