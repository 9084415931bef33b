// error: listenq: a cookie in every ISS cannot use the timestamps: those of a request tell the time.
// SPDX-License-Identifier: BSL-1.0
// Linux's codec has its options in a timestamp that a request's SYN-ACK does not stamp.
#include <listenq/listener.hpp>

using namespace listenq;
listener<cookies<in_every_iss<linux_6_18_cookie>>> l;
