// error: sizing_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `sizing`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<sizing<backlog_plus_one>> l;
