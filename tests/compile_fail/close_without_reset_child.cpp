// error: listenq::listener: close(sink) needs sink.reset_child(handle): waiting connections must be reset.
// SPDX-License-Identifier: BSL-1.0
// A sink that cannot take waiting connections back.
#include <listenq/listener.hpp>

void close(listenq::listener<>& l, listenq::null_sink& out) { l.close(out); }
