// error: listenq::listener: only a syncache has buckets to evict from; use sizing<syncache<...>>, too.
// SPDX-License-Identifier: BSL-1.0
// A bucket rule for a queue without buckets.
#include <listenq/listener.hpp>

using namespace listenq;
listener<request_full<evict_in_bucket>> l;
