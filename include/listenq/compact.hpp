// SPDX-License-Identifier: BSL-1.0
// compact_listener: a composition for whom memory limits how many half-open connections there can be: 40 bytes for each
// IPv4 request and 64 for IPv6 (`with<compact_listener, family<ipv6>>`), all included; Linux takes 312 and more.
//
// What it gives up for that: timers fire late, by 640 ms at most, because a hand sweeps over the requests instead of a
// timer for each of them; as in Linux 3.12, odd segments are answered without a rate limit, and the echo of a timestamp
// is believed. All else is as in `listener<>`. What this does to the time a handshake takes: benchmarks/README.md.
#pragma once

#include <listenq/listener.hpp>

namespace listenq {

using compact_listener = listener<requests<compact_requests>, clockwork<sweep<10 * millisecond>>,
                                  validation<linux_validation<linux_era::v3_12>>>;

}  // namespace listenq
