// error: listenq: times<a, b> multiplies by a / b, and b is 0.
// SPDX-License-Identifier: BSL-1.0
// A division by zero.
#include <listenq/listener.hpp>

using namespace listenq;
listener<sizing<pipeline<times<1, 0>>>> l;
