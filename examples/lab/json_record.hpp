// SPDX-License-Identifier: BSL-1.0
// A record as JSON, with the keys of the recorded kernel runs, so that one can be held against the other.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "nouns.hpp"
#include "settings.hpp"

namespace lab {

/// One object for each cause.
nlohmann::ordered_json causes_of(const std::vector<cause_line>& causes);
nlohmann::ordered_json to_json(const settings& s, const record& r);

}  // namespace lab
