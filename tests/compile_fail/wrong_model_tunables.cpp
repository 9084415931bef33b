// error: tunable_defaults
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `tunables`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<tunables<tuned<tunable::somaxconn, 5>>> l;
