// error: child_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `child`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<child<int>> l;
