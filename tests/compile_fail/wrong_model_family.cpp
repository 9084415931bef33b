// error: addressing
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `family`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<family<ipv4::address>> l;
