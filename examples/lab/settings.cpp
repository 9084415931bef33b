// SPDX-License-Identifier: BSL-1.0
#include "settings.hpp"

#include <algorithm>

namespace lab {

instant start_of(const settings& s, unsigned i) {
  return s.starts.empty() ? first_start + static_cast<duration>(i) * s.gap : s.starts[i];
}

unsigned client_count(const settings& s) {
  return s.starts.empty() ? s.clients : static_cast<unsigned>(s.starts.size());
}

instant last_start(const settings& s) {
  const unsigned n = client_count(s);
  return n == 0 ? first_start : start_of(s, n - 1);
}

instant end_of(const settings& s) {
  if (s.until) return *s.until;
  const instant usual = last_start(s) + 8 * second + 100 * millisecond;
  const bool late = s.accept.when == accept_rule::kind::from || s.accept.when == accept_rule::kind::once;
  return late ? std::max(usual, s.accept.at + 7 * second) : usual;
}

std::vector<moment> moments_of(const settings& s) {
  if (!s.moments.empty()) return s.moments;
  const instant end = end_of(s);
  std::vector<moment> all{{"after_connects", last_start(s) + 1500 * millisecond},
                          {"after_data", last_start(s) + 4 * second}};
  const bool late = s.accept.when == accept_rule::kind::from || s.accept.when == accept_rule::kind::once;
  if (late && s.accept.at >= 200 * millisecond) all.push_back({"before_late_accept", s.accept.at - 200 * millisecond});
  std::erase_if(all, [end](const moment& m) { return m.at > end; });
  std::sort(all.begin(), all.end(), [](const moment& a, const moment& b) { return a.at < b.at; });
  all.push_back({"end", end});
  return all;
}

rules rules_of(const settings& s) { return rules_of(*s.preset, s.backlog, s.tunables); }

}  // namespace lab
