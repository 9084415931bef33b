// error: pressure_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `pressure`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<pressure<from_1s>> l;
