// error: listenq::listener: evicting helps a full accept queue only where waiting<...> counts both queues.
// SPDX-License-Identifier: BSL-1.0
// Requests that would be thrown out for nothing.
#include <listenq/listener.hpp>

using namespace listenq;
listener<accept_full_at_syn<evict_oldest>> l;
