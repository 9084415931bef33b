// error: send_failure_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `send_failure`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<send_failure<returned>> l;
