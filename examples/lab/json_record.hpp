// SPDX-License-Identifier: BSL-1.0
// A record as JSON, with the keys of the recorded kernel runs, so that one can be held against the other.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "settings.hpp"

namespace lab {

nlohmann::ordered_json to_json(const settings& s, const record& r);

}  // namespace lab
