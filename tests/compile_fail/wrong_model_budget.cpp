// error: budget_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `budget`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<budget<unobserved>> l;
