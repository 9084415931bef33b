// error: listenq: fixed_lifetime<us> needs a lifetime of at least 1 us.
// SPDX-License-Identifier: BSL-1.0
// A request that is dead when it is stored.
#include <listenq/listener.hpp>

using namespace listenq;
listener<schedule<fixed_lifetime<0>>> l;
