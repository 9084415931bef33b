// SPDX-License-Identifier: BSL-1.0
#include "exports.hpp"

namespace explorer {

std::string as_program(const live_world& w) { return "// " + w.settings().preset->describe(); }

}  // namespace explorer
