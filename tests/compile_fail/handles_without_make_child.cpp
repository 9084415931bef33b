// error: listenq::listener: child<handles<H>> needs sink.make_child(handshake, segment) -> optional<H>.
// SPDX-License-Identifier: BSL-1.0
// A stack with handles of its own whose sink makes none.
#include <listenq/listener.hpp>

using namespace listenq;
void receive(listener<child<handles<int>>>& l, null_sink& out) { l.receive(segment{}, 0, out); }
