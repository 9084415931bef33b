// error: cookie_codec
// SPDX-License-Identifier: BSL-1.0
// A hash in the place of a layout.
#include <listenq/listener.hpp>

using namespace listenq;
listener<cookies<always<siphash<>>>> l;
