// error: owner
// SPDX-License-Identifier: BSL-1.0
// A gate of one's own that does not say who answers when it is closed.
#include <listenq/listener.hpp>

using namespace listenq;
struct my_gate {
  static constexpr const char* name = "my_gate";
  static constexpr bool closed(const syn_facts&, const tunable_source auto&) noexcept { return true; }
};
listener<admission<in_order<gates::known_request, my_gate>>> l;
