// error: listenq: linux_fast_open: Linux 2.6.32 has no fast open.
// SPDX-License-Identifier: BSL-1.0
// An era that never had it.
#include <listenq/listener.hpp>

using namespace listenq;
listener<fast_open<linux_fast_open<linux_era::v2_6_32>>> l;
