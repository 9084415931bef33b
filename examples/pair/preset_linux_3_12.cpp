// SPDX-License-Identifier: BSL-1.0
#include <listenq/preset/linux_3_12.hpp>

#include "serve.hpp"

namespace pair {

const preset_entry linux_3_12_entry = entry_of<listenq::preset::linux_3_12, listenq::profile::linux_3_12>("linux-3.12");

}  // namespace pair
