// SPDX-License-Identifier: BSL-1.0
// Packets for other tools: a capture for Wireshark, a diagram for Mermaid.
#pragma once

#include <string>
#include <vector>

#include "nouns.hpp"

namespace lab {

std::string as_pcapng(const std::vector<packet>& packets);
std::string as_mermaid(const std::vector<packet>& packets);

}  // namespace lab
