// error: listenq::listener: an argument answers a slot that no listener has.
// SPDX-License-Identifier: BSL-1.0
// A keyword of a slot that no listener has.
#include <listenq/listener.hpp>

struct my_slot {};
struct keyword {
  using slot = my_slot;
  using policy = listenq::reset;
};
listenq::listener<keyword> l;
