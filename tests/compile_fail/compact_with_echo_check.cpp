// error: listenq::listener: compact requests do not remember timestamps; use a validation without checks_echo.
// SPDX-License-Identifier: BSL-1.0
// Every echo would be wrong: no peer with timestamps would get in.
#include <listenq/listener.hpp>

using namespace listenq;
struct only_echo : rfc793_validation {
  static constexpr bool checks_echo = true;
};
listener<requests<compact_requests>, validation<only_echo>, family<ipv6>> l;
