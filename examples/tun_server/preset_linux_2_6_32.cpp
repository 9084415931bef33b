// SPDX-License-Identifier: BSL-1.0
#include <listenq/preset/linux_2_6_32.hpp>

#include "serve.hpp"

namespace tun_server {

const preset_entry linux_2_6_32_entry =
    entry_of<listenq::preset::linux_2_6_32, listenq::profile::linux_2_6_32>("linux-2.6.32");

}  // namespace tun_server
