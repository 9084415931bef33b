// error: listenq::listener: a budget is asked at gates::budget, and this admission has no such gate.
// SPDX-License-Identifier: BSL-1.0
// A budget that nobody would ever ask.
#include <listenq/listener.hpp>

using namespace listenq;
struct one_each : no_budget {
  int held = 0;
};
listener<budget<one_each>> l;
