// error: listenq: a row of gates needs gates::known_request exactly once.
// SPDX-License-Identifier: BSL-1.0
// Two lookups.
#include <listenq/listener.hpp>

using namespace listenq;
listener<admission<in_order<gates::known_request, gates::request_queue, gates::known_request>>> l;
