// error: answers_alone
// SPDX-License-Identifier: BSL-1.0
// `with` changes each slot once.
#include <listenq/mirror.hpp>

using namespace listenq;
with<listener<>, request_full<reset>, request_full<drop>> l;
