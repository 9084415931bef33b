// error: listenq::listener: each argument is a keyword around a policy; write request_full<reset>, not reset.
// SPDX-License-Identifier: BSL-1.0
// One bare policy among keywords.
#include <listenq/listener.hpp>

using namespace listenq;
listener<request_full<reset>, from_3s, waiting<>> l;
