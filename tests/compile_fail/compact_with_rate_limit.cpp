// error: listenq::listener: compact requests do not remember answers; use a validation without rate_limit.
// SPDX-License-Identifier: BSL-1.0
// Every answer would count as the first one.
#include <listenq/listener.hpp>

using namespace listenq;
listener<requests<compact_requests>, validation<linux_validation<linux_era::v4_4>>> l;
