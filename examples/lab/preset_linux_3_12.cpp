// SPDX-License-Identifier: BSL-1.0
#include <listenq/preset/linux_3_12.hpp>

#include "preset_entry_of.hpp"

namespace lab {

const preset_entry linux_3_12_entry =
    entry_of<preset::linux_3_12>("linux-3.12", "Linux 3.12", profile::linux_3_12, profile::linux_3_12);

}  // namespace lab
