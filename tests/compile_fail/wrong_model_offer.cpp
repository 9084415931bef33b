// error: offer_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `offer`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<offer<rfc6528>> l;
