// error: isn_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `isn`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<isn<siphash<>>> l;
