// SPDX-License-Identifier: BSL-1.0
// The answer to a sizing request: how big should the backlog be?
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace explorer {

/// `request` is an object with "do":"sizing". A wrong one answers {"error": "one sentence"}.
nlohmann::ordered_json sizing(const nlohmann::ordered_json& request);

}  // namespace explorer
