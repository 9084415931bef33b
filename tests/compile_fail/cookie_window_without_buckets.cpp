// error: listenq::listener: this window opens when a bucket overflows; use sizing<syncache<...>>, too.
// SPDX-License-Identifier: BSL-1.0
// FreeBSD's window, and no bucket that could overflow: no cookie would ever be taken.
#include <listenq/listener.hpp>

using namespace listenq;
listener<cookies<in_every_iss<freebsd_13_cookie>>> l;
