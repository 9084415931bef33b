// error: observer_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `observer`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<observer<int>> l;
