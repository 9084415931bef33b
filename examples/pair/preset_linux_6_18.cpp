// SPDX-License-Identifier: BSL-1.0
#include <listenq/preset/linux_6_18.hpp>

#include "serve.hpp"

namespace pair {

const preset_entry linux_6_18_entry = entry_of<listenq::preset::linux_6_18, listenq::profile::linux_6_18>("linux-6.18");

}  // namespace pair
