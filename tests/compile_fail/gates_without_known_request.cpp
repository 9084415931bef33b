// error: listenq: a row of gates needs gates::known_request exactly once.
// SPDX-License-Identifier: BSL-1.0
// A row of gates that would store a duplicate SYN again.
#include <listenq/listener.hpp>

using namespace listenq;
listener<admission<in_order<gates::request_queue, gates::accept_queue>>> l;
