// SPDX-License-Identifier: BSL-1.0
#include <listenq/preset/linux_4_4.hpp>

#include "serve.hpp"

namespace tun_server {

const preset_entry linux_4_4_entry = entry_of<listenq::preset::linux_4_4, listenq::profile::linux_6_18>("linux-4.4");

}  // namespace tun_server
