// error: validation_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `validation`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<validation<rfc6528>> l;
