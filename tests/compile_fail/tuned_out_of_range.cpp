// error: listenq: this default is larger than the tunable allows.
// SPDX-License-Identifier: BSL-1.0
// tcp_syncookies knows 0, 1 and 2.
#include <listenq/listener.hpp>

using namespace listenq;
listener<tunables<defaults<tuned<tunable::syncookies, 3>>>> l;
