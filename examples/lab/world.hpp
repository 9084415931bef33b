// SPDX-License-Identifier: BSL-1.0
// One run: a server, its clients and a loopback link in virtual time. Same settings, same record, bit for bit.
#pragma once

#include <string>

#include "settings.hpp"

namespace lab {

/// Runs it to its end.
record simulate(const settings& s);

/// Says what is wrong with settings that only the listener itself can judge; empty if nothing is.
std::string objection(const settings& s);

}  // namespace lab
