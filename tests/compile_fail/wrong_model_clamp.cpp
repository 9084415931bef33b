// error: clamp_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `clamp`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<clamp<reset>> l;
