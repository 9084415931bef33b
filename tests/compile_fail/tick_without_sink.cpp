// error: sink
// SPDX-License-Identifier: BSL-1.0
// A sink that does not say what became of a segment.
#include <listenq/listener.hpp>

using namespace listenq;
struct silent {
  void send(const segment&) {}
};
void tick(listener<>& l, silent& out) { l.tick(0, out); }
