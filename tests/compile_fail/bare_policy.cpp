// error: listenq::listener: each argument is a keyword around a policy; write request_full<reset>, not reset.
// SPDX-License-Identifier: BSL-1.0
// A policy without its keyword.
#include <listenq/listener.hpp>

listenq::listener<listenq::reset> l;
