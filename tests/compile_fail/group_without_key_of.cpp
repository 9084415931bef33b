// error: listenq::group: child<handles<H>> needs sink.key_of(handle): a sibling is chosen by the four-tuple.
// SPDX-License-Identifier: BSL-1.0
// A handle of the stack's own, and no way from it to the connection.
#include <listenq/group.hpp>
#include <optional>

using namespace listenq;
using numbered = listener<child<handles<int>>>;

struct stack : null_sink {
  std::optional<int> make_child(const handshake&, const segment&) { return 1; }
  void reset_child(int) {}
};

void leave(group<numbered>& g, numbered& l, stack& out) { g.leave(l, out); }
