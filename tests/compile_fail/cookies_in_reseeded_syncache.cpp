// error: listenq::listener: these cookies are bound to their bucket; use a syncache that is not reseeded.
// SPDX-License-Identifier: BSL-1.0
// Cookies that no longer verify once the sets have changed places.
#include <listenq/listener.hpp>

using namespace listenq;
listener<cookies<in_every_iss<freebsd_13_cookie>>, sizing<syncache<512, 30, 15360, reseeded<100000>>>> l;
