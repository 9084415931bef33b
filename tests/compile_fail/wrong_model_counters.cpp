// error: counters_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `counters`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<counters<unobserved>> l;
