// SPDX-License-Identifier: BSL-1.0
#include "presets.hpp"

#include <algorithm>

namespace lab {

namespace {

constexpr const preset_entry* all[] = {&linux_3_12_entry, &linux_2_6_32_entry, &linux_6_18_entry};

std::string plain(std::string_view name) {
  std::string s(name);
  std::replace_if(
      s.begin(), s.end(), [](char c) { return c == '_' || c == '.'; }, '-');
  return s;
}

}  // namespace

const preset_entry* find_preset(std::string_view name) {
  for (const preset_entry* p : all) {
    if (plain(p->name) == plain(name)) return p;
  }
  return nullptr;
}

std::span<const preset_entry* const> all_presets() { return all; }

std::string preset_names() {
  std::string s;
  for (const preset_entry* p : all) s += (s.empty() ? "" : ", ") + std::string(p->name);
  return s;
}

}  // namespace lab
