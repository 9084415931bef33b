// error: listenq::listener: cookies are asked for at gates::request_queue, and this admission has no such gate.
// SPDX-License-Identifier: BSL-1.0
// Cookies that nobody would ever ask for.
#include <listenq/listener.hpp>

using namespace listenq;
listener<cookies<always<linux_6_18_cookie>>, admission<in_order<gates::known_request, gates::accept_queue>>> l;
