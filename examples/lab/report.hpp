// SPDX-License-Identifier: BSL-1.0
// One run as text: what each client saw, the sockets at each moment, the traces, the counters and the reasons.
#pragma once

#include <iosfwd>

#include "settings.hpp"

namespace lab {

void print_report(std::ostream& out, const settings& s, const record& r, bool proc);

}  // namespace lab
