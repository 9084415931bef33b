// SPDX-License-Identifier: BSL-1.0
// An answer as a picture: over the backlog, who is turned away and how long one in a hundred waits, by the closed form
// and in the simulation. One SVG file that needs nothing else, in the light or dark colours of whoever looks at it.
#pragma once

#include <string>

#include "sizing.hpp"

namespace calculator {

std::string svg_of(const question& q, const answer& a);

}  // namespace calculator
