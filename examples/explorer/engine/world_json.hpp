// SPDX-License-Identifier: BSL-1.0
// A world as JSON: its state, its events.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "live_world.hpp"

namespace explorer {

nlohmann::ordered_json state_of(live_world& w);
/// From number `since` on, at most `most`; "next" is the number to go on with, "dropped" says how many are no more.
nlohmann::ordered_json events_of(const live_world& w, std::uint64_t since, std::size_t most);
/// The rows of `ss`, those of requests and connections included.
nlohmann::ordered_json sockets_of(live_world& w, std::size_t most);

}  // namespace explorer
