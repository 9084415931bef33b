// error: listenq: fixed<requests, connections> needs room for one of each.
// SPDX-License-Identifier: BSL-1.0
// A storage without room.
#include <listenq/listener.hpp>

using namespace listenq;
listener<storage<fixed<0>>> l;
