// SPDX-License-Identifier: BSL-1.0
// The presets that the server knows by name. To add one: a file like preset_linux_6_18.cpp and a line in presets.cpp.
#pragma once

#include <string>
#include <string_view>

#include "settings.hpp"

namespace tun_server {

struct preset_entry {
  std::string_view name;            ///< as on the command line
  bool (*reads)(listenq::tunable);  ///< does it change anything?
  int (*serve)(const settings&);    ///< runs until SIGINT or SIGTERM; the exit status
};

extern const preset_entry linux_2_6_32_entry;
extern const preset_entry linux_3_12_entry;
extern const preset_entry linux_4_4_entry;
extern const preset_entry linux_6_18_entry;
extern const preset_entry freebsd_13_entry;

/// Null if there is none of that name.
const preset_entry* find_preset(std::string_view name);
/// All names, separated by commas.
std::string preset_names();

}  // namespace tun_server
