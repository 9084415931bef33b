// error: admission_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `admission`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<admission<gates::request_queue>> l;
