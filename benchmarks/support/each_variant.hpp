// SPDX-License-Identifier: BSL-1.0
// Goes through the list of variants and gives each its name: the keyword and the policy that differ from the first one.
#pragma once

#include <boost/hana/equal.hpp>
#include <boost/hana/for_each.hpp>
#include <boost/hana/take_front.hpp>
#include <listenq/describe.hpp>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include "../variants.hpp"

namespace bench {

/// The lines of `describe` in which `L` and the first one differ, or "linux_6_18".
template <class L>
std::string name_of_variant() {
  const std::string own = describe<L>(), usual = describe<preset::linux_6_18>();
  std::istringstream a{own}, b{usual};
  std::string name, x, y;
  while (std::getline(a, x) && std::getline(b, y)) {
    if (x == y || x.find("bytes") != std::string::npos) continue;
    const std::size_t first = x.find_first_not_of(' ');
    if (!name.empty()) name += ", ";
    for (const char c : x.substr(first == std::string::npos ? 0 : first)) {
      if (c == '/' || (c == ' ' && !name.empty() && name.back() == ' ')) continue;
      name += c;
    }
  }
  const std::string standard = " (default)";
  if (name.ends_with(standard)) name.erase(name.size() - standard.size());
  return name.empty() ? "linux_6_18" : name;
}

/// All, or, to see whether a program works at all, the first few.
#ifdef LISTENQ_FEW_VARIANTS
inline constexpr auto compared_here = boost::hana::take_front_c<4>(compared);
#else
inline constexpr auto compared_here = compared;
#endif

/// Calls `visit.template operator()<L>(name)` for each.
template <class Visit>
void each_variant(Visit visit) {
  std::set<std::string> taken;  // a policy made from another one has that one's name
  boost::hana::for_each(compared_here, [&](auto type) {
    using L = typename decltype(type)::type;
    const std::string name = name_of_variant<L>();
    std::string unique = name;
    for (int i = 2; !taken.insert(unique).second; ++i) unique = name + " (" + std::to_string(i) + ")";
    visit.template operator()<L>(unique);
  });
}

}  // namespace bench
