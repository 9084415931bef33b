// error: listenq::listener: whoever goes from another bucket of a syncache makes no room; use evict_in_bucket.
// SPDX-License-Identifier: BSL-1.0
// A full bucket that grows while a request of another bucket is thrown out.
#include <listenq/listener.hpp>

using namespace listenq;
listener<request_full<evict_random>, sizing<syncache<512, 30>>> l;
