// SPDX-License-Identifier: BSL-1.0
#include "server.hpp"

namespace pair {

namespace {
const preset_entry* const all[] = {&linux_3_12_entry, &linux_6_18_entry, &freebsd_13_entry};
}  // namespace

const preset_entry* find_preset(std::string_view name) {
  for (const preset_entry* p : all) {
    if (p->name == name) return p;
  }
  return nullptr;
}

std::string preset_names() {
  std::string names;
  for (const preset_entry* p : all) names += (names.empty() ? "" : ",") + std::string(p->name);
  return names;
}

}  // namespace pair
