// error: listenq::listener: a pause begins when a bucket overflows; use sizing<syncache<...>>, too.
// SPDX-License-Identifier: BSL-1.0
// A pause that would never begin.
#include <listenq/listener.hpp>

using namespace listenq;
listener<cookies<pausing<in_every_iss<freebsd_13_cookie, static_key, any_time>>>> l;
