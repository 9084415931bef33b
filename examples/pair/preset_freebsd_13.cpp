// SPDX-License-Identifier: BSL-1.0
#include <listenq/preset/freebsd_13.hpp>

#include "serve.hpp"

namespace pair {

const preset_entry freebsd_13_entry = entry_of<listenq::preset::freebsd_13, listenq::profile::linux_6_18>("freebsd-13");

}  // namespace pair
