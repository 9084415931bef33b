// error: listenq::listener: where the handle is the four-tuple or the record, make_child yields a bool.
// SPDX-License-Identifier: BSL-1.0
// The stack makes handles of its own, but the listener was not told so: the handles would be lost.
#include <listenq/listener.hpp>

using namespace listenq;
struct stack : null_sink {
  std::optional<int> make_child(const handshake&, const segment&) { return 1; }
};
void f() {
  listener<> l;
  stack s;
  l.receive({}, 0, s);
}
