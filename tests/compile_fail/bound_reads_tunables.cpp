// error: listenq: a bound on the accept queue cannot read tunables.
// SPDX-License-Identifier: BSL-1.0
#include <listenq/listener.hpp>

listenq::listener<listenq::waiting<listenq::over<listenq::pipeline<listenq::at_most<listenq::tunable::somaxconn>>>>> l;
