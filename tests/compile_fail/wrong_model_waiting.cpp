// error: waiting_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `waiting`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<waiting<pipeline<plus<1>>>> l;
