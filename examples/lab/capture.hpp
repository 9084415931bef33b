// SPDX-License-Identifier: BSL-1.0
// A record's packets for other tools: a capture for Wireshark, a diagram for Mermaid.
#pragma once

#include <string>

#include "nouns.hpp"

namespace lab {

std::string as_pcapng(const record& r);
std::string as_mermaid(const record& r);

}  // namespace lab
