// error: listenq::group: a group has between 1 and 65535 places.
// SPDX-License-Identifier: BSL-1.0
// A group that no listener can join.
#include <listenq/group.hpp>

listenq::group<listenq::listener<>, 0> g;
