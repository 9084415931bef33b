// error: request_full_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `request_full`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<request_full<admit>> l;
