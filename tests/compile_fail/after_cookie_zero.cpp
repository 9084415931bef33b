// error: listenq: after_cookie<length, step> needs a length above 0.
// SPDX-License-Identifier: BSL-1.0
// A window that is open for an instant.
#include <listenq/listener.hpp>

using namespace listenq;
listener<cookies<always<linux_6_18_cookie, static_key, after_cookie<0>>>> l;
