// SPDX-License-Identifier: BSL-1.0
// One run as one page for a browser: what a bug report needs, in a file that loads nothing and runs nothing.
#pragma once

#include <string>

#include "settings.hpp"

namespace lab {

/// The style sheet, embedded when the lab was built.
extern const char* const page_style;

/// Segments beyond so many are counted, not drawn: a browser has to show them all.
inline constexpr std::size_t most_segments_drawn = 5000;

std::string as_html(const settings& s, const record& r);

}  // namespace lab
