// error: listenq: a bound is a number of at least 0 or a tunable.
// SPDX-License-Identifier: BSL-1.0
// A bound below nothing.
#include <listenq/listener.hpp>

using namespace listenq;
void listen(listener<sizing<pipeline<at_most<-1>>>>& l) { l.listen(1); }
