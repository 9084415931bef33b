// SPDX-License-Identifier: BSL-1.0
// One run as text: what each client saw, the sockets at each moment, the traces, the counters and the reasons.
#pragma once

#include <iosfwd>
#include <string>

#include "settings.hpp"

namespace lab {

/// "Linux 3.12: listen(fd, 1), 3 clients, never accept()".
std::string title_of(const settings&);
/// The sysctls that matter, with the values in force.
std::string tunables_of(const settings&);
void print_report(std::ostream& out, const settings& s, const record& r, bool proc);

}  // namespace lab
