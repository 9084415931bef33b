// SPDX-License-Identifier: BSL-1.0
// Which clients had the same fate: the same segments in the same order, whenever they began.
#pragma once

#include <string>
#include <vector>

#include "nouns.hpp"

namespace lab {

/// Ports, each group in the order of the clients, the groups by their first. A client that sent nothing is in a group,
/// too.
std::vector<std::vector<std::uint16_t>> alike_clients(const record& r);
/// All but the first: "30002, 30004 and 3 more".
std::string others(const std::vector<std::uint16_t>& ports);

}  // namespace lab
