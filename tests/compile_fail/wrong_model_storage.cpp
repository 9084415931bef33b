// error: storage_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `storage`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<storage<drop>> l;
