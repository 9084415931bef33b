// error: listenq::listener: a value was passed that is none of this listener's policies.
// SPDX-License-Identifier: BSL-1.0
// A key for a hash that this listener does not use.
#include <listenq/listener.hpp>

using namespace listenq;
listener<> l{siphash<1, 3>{}};
