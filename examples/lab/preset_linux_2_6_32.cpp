// SPDX-License-Identifier: BSL-1.0
#include <listenq/preset/linux_2_6_32.hpp>

#include "preset_entry_of.hpp"

namespace lab {

const preset_entry linux_2_6_32_entry =
    entry_of<preset::linux_2_6_32>("linux-2.6.32", "Linux 2.6.32", profile::linux_2_6_32, profile::linux_2_6_32);

}  // namespace lab
