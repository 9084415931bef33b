// SPDX-License-Identifier: BSL-1.0
// What one takes away from a world: a capture, a diagram, a program, the tables that a system's own tools print.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "live_world.hpp"

namespace explorer {

/// The answer to {"do": "export", "as": A}.
nlohmann::ordered_json exported(live_world& w, const nlohmann::ordered_json& request);

/// A whole program: the composition with its present tunables, and what was done to the listener so far.
std::string as_program(const live_world& w);

}  // namespace explorer
