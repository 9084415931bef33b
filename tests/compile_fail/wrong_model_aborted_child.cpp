// error: aborted_child_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `aborted_child`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<aborted_child<fatal>> l;
