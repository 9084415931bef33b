// error: listenq::listener: two arguments answer the same slot; keep one of them.
// SPDX-License-Identifier: BSL-1.0
// The same answer given twice is still a slip of the pen.
#include <listenq/listener.hpp>

using namespace listenq;
listener<request_full<reset>, schedule<>, request_full<reset>> l;
