// SPDX-License-Identifier: BSL-1.0
// Linux 6.18 with the answers of other systems to the segments of a handshake: what they change, and what they must
// not.
#include <listenq/preset/linux_6_18.hpp>

#include "driver.hpp"

using namespace property;

TEST_CASE("other tables at a request") {
  using base = with<preset::linux_6_18, cookies<no_cookies>>;
  hold_all<base>(
      "linux_6_18 without cookies",
      variants<base, validation<freebsd_validation>, validation<netbsd_validation>, validation<rfc793_validation>,
               validation<rfc9293_validation>, validation<rfc5961_validation>>);
}

TEST_CASE("a syncache as FreeBSD has it") {
  using L = with<preset::linux_6_18, cookies<no_cookies>, validation<freebsd_validation>, send_failure<fatal>,
                 accept_full_at_ack<reset>>;
  const std::string name = "linux_6_18 with FreeBSD's answers";
  CHECK(holds(name, [&] { return std::make_unique<part<L>>(rules_of<L>(name)); }));
}

// As in overflow_variants.cpp: last, for it counts what the others have seen.
TEST_CASE("scripts reach every verdict of other tables") {
  if (!standard_run) return;
  for (std::size_t i = 0; i < verdict_count; ++i) {
    const auto v = static_cast<verdict>(i);
    if (!of_other_tables(v)) continue;
    CAPTURE(std::string{name_of(v)});
    CHECK(seen[i] > 0);
  }
}
