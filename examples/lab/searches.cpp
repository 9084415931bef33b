// SPDX-License-Identifier: BSL-1.0
#include "searches.hpp"

#include <listenq/preset/catalogue.hpp>
#include <vector>

namespace lab {

const preset_searches& searches_of(const preset_entry& p) {
  static const std::vector<preset_searches> all = [] {
    std::vector<preset_searches> v;
    preset::for_each([&v]<class L>(const preset::about&) { v.push_back(searches_for<L>()); });
    return v;
  }();
  return all[static_cast<std::size_t>(&p - all_presets().data())];
}

}  // namespace lab
