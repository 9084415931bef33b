// error: listenq: sweep<period> needs a period of at least 1 us.
// SPDX-License-Identifier: BSL-1.0
// A hand that never rests.
#include <listenq/listener.hpp>

using namespace listenq;
listener<clockwork<sweep<0>>> l;
