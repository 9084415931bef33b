// error: listenq: doubling<initial, retries, cap> needs 0 < initial <= cap.
// SPDX-License-Identifier: BSL-1.0
// A first timeout of nothing.
#include <listenq/listener.hpp>

using namespace listenq;
listener<schedule<doubling<0>>> l;
