// error: listenq: rotated<overlap> needs an overlap; without one it is static_key.
// SPDX-License-Identifier: BSL-1.0
// Two places for keys, and one of them never used.
#include <listenq/listener.hpp>

using namespace listenq;
listener<cookies<always<linux_6_18_cookie, rotated<0>>>> l;
