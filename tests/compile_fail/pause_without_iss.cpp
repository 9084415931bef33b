// error: listenq: a pause needs cookies that are in every ISS; use pausing<in_every_iss<...>>.
// SPDX-License-Identifier: BSL-1.0
// Requests that are there, hidden by a pause, without a cookie in their ISS.
#include <listenq/listener.hpp>

using namespace listenq;
listener<cookies<pausing<under_pressure<freebsd_13_cookie>>>, sizing<syncache<4, 3>>> l;
