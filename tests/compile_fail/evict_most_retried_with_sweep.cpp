// error: listenq::listener: who has been retried most is read off the timers; use exact<>, not sweep<>.
// SPDX-License-Identifier: BSL-1.0
// An order that only timers keep.
#include <listenq/listener.hpp>

using namespace listenq;
listener<request_full<evict_most_retried>, clockwork<sweep<>>> l;
