// SPDX-License-Identifier: BSL-1.0
#include <listenq/preset/linux_6_18.hpp>

#include "preset_entry_of.hpp"

namespace lab {

const preset_entry linux_6_18_entry =
    entry_of<preset::linux_6_18>("linux-6.18", "Linux 6.18", profile::linux_6_18, profile::linux_6_18);

}  // namespace lab
