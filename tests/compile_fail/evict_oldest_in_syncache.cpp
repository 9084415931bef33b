// error: listenq::listener: a syncache knows the oldest of a bucket, not of all; use evict_in_bucket.
// SPDX-License-Identifier: BSL-1.0
// An order that a syncache does not keep.
#include <listenq/listener.hpp>

using namespace listenq;
listener<request_full<evict_oldest>, sizing<syncache<512, 30>>> l;
