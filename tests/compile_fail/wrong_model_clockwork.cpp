// error: clockwork_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `clockwork`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<clockwork<half_table>> l;
