// error: listenq::listener: where a syncache is shared, the pool and its listeners have the same sizing.
// SPDX-License-Identifier: BSL-1.0
// Two notions of a bucket for one table.
#include <listenq/listener.hpp>
#include <listenq/queue/shared_requests.hpp>

using namespace listenq;
using pool = shared_requests<ipv4, 16, tie_order::oldest_first, at_listen, syncache<512, 30>>;
listener<requests<borrowed<pool>>, sizing<syncache<293, 105>>, request_full<evict_in_bucket>> l;
