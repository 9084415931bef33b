// error: listenq: per_prefix needs a power of two as its width, and width^rows must be at most 2^64.
// SPDX-License-Identifier: BSL-1.0
// A width that a mask cannot do.
#include <listenq/policy/prefix_budget.hpp>

listenq::per_prefix<24, 64, listenq::times<1, 4>, 100> b;
