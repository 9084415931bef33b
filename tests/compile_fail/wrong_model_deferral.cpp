// error: deferral_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `deferral`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<deferral<from_1s>> l;
