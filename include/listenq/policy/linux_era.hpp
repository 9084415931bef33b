// SPDX-License-Identifier: BSL-1.0
// The generations of Linux whose listeners differ in more than numbers; `validation` and `counters` are asked by era.
#pragma once

#include <cstdint>

namespace listenq {

enum class linux_era : std::uint8_t {
  v2_6_32,  ///< one table a listener, few counters
  v3_12,    ///< the same table, duplicate SYNs restart the timer, drops are counted
  v4_4,     ///< lockless listener, rate-limited answers; any RST in the window ends a request
  v6_18,    ///< as 4.4, but only the exact RST ends a request, and echoed timestamps are checked
};

}  // namespace listenq
