// SPDX-License-Identifier: BSL-1.0
// Settings as the words that were typed, or could have been: the command that repeats a run.
#pragma once

#include <string>

#include "settings.hpp"

namespace lab {

/// The name of the option that sets it: `--max-syn-backlog`.
std::string option_of(tunable t);
/// `./examples/run --preset linux-3.12 --backlog 1 ...`: all that differs from the defaults, and always who, how long a
/// backlog, how many clients and which seed. Own starts and moments have no option and are left out.
std::string command_of(const settings& s);

}  // namespace lab
