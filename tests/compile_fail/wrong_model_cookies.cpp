// error: cookies_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `cookies`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<cookies<linux_6_18_cookie>> l;
