// error: schedule_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `schedule`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<schedule<sweep<>>> l;
