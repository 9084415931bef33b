// SPDX-License-Identifier: BSL-1.0
// Settings of a world out of JSON and into it. Whatever is wrong is one sentence with what would be right.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "world_settings.hpp"

namespace explorer {

using json = nlohmann::ordered_json;

/// Takes over what `patch` names, the rest of `s` stays. Empty, or what is wrong; then `s` is as it was. With `fixed`,
/// preset and seed cannot be named.
std::string apply(const json& patch, world_settings& s, bool fixed);
/// The same for a single one: `backlog`, a tunable by its name, `arrivals.rate`.
std::string apply(const std::string& name, const json& value, world_settings& s);
json to_json(const world_settings& s);

/// An integer of `j`, if it is one within these bounds.
std::optional<std::int64_t> integer_in(const json& j, std::int64_t least, std::int64_t most);

}  // namespace explorer
