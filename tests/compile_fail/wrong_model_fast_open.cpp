// error: fast_open_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `fast_open`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<fast_open<reset>> l;
