// error: listenq::listener: two arguments answer the same slot; keep one of them.
// SPDX-License-Identifier: BSL-1.0
// Two answers for one slot.
#include <listenq/listener.hpp>

using namespace listenq;
listener<request_full<reset>, request_full<drop>> l;
