// error: listenq: doubling<initial, retries, cap> needs 0 < initial <= cap.
// SPDX-License-Identifier: BSL-1.0
// A cap below the first timeout.
#include <listenq/listener.hpp>

using namespace listenq;
listener<schedule<doubling<2 * second, 5, 1 * second>>> l;
