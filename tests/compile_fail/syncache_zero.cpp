// error: listenq: syncache<buckets, depth, limit> needs room for at least one request, at most for 2^30.
// SPDX-License-Identifier: BSL-1.0
// Buckets that hold nobody.
#include <listenq/policy/syncache.hpp>

constexpr auto room = listenq::syncache<512, 0>::room;
