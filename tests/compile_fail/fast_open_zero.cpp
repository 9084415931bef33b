// error: listenq: linux_fast_open<era, 0> could open nothing; no_fast_open says so.
// SPDX-License-Identifier: BSL-1.0
// A bound of none.
#include <listenq/listener.hpp>

using namespace listenq;
listener<fast_open<linux_fast_open<linux_era::v6_18, 0>>> l;
