// error: listenq: listed<us...> needs waits of at least 1 us.
// SPDX-License-Identifier: BSL-1.0
// A wait that is over when it begins.
#include <listenq/listener.hpp>

using namespace listenq;
listener<schedule<listed<1 * second, 0>>> l;
