// error: listenq: defaults<...> names a tunable twice; keep one of them.
// SPDX-License-Identifier: BSL-1.0
#include <listenq/listener.hpp>

using namespace listenq;
listener<tunables<defaults<tuned<tunable::somaxconn, 1>, tuned<tunable::somaxconn, 2>>>> l;
