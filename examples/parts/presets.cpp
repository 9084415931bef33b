// SPDX-License-Identifier: BSL-1.0
#include "presets.hpp"

#include <algorithm>
#include <listenq/preset/catalogue.hpp>
#include <vector>

namespace lab {

namespace {

/// The endpoints that go with a preset: those of its own kernel where there are any, else Linux 6.18's.
const kernel_profile& profile_of(std::string_view preset) {
  if (preset == "linux-2.4" || preset == "linux-2.6.32") return profile::linux_2_6_32;
  return preset == "linux-3.12" ? profile::linux_3_12 : profile::linux_6_18;
}

const std::vector<preset_entry>& entries() {
  static const std::vector<preset_entry> all = [] {
    std::vector<preset_entry> v;
    preset::for_each([&v]<class L>(const preset::about& a) {
      v.push_back({functions_of<L>(), a.name, a.title, a.era, a.family, a.standing, profile_of(a.name)});
    });
    return v;
  }();
  return all;
}

std::string plain(std::string_view name) {
  std::string s(name);
  std::replace_if(
      s.begin(), s.end(), [](char c) { return c == '_' || c == '.'; }, '-');
  return s;
}

}  // namespace

const preset_entry* find_preset(std::string_view name) {
  for (const preset_entry& p : entries()) {
    if (plain(p.name) == plain(name)) return &p;
  }
  return nullptr;
}

std::span<const preset_entry> all_presets() { return entries(); }

std::string preset_names() {
  std::string s;
  for (const preset_entry& p : entries()) s += (s.empty() ? "" : ", ") + std::string(p.name);
  return s;
}

}  // namespace lab
