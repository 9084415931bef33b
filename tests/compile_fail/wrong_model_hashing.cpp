// error: hashing_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `hashing`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<hashing<rfc6528>> l;
