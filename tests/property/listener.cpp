// SPDX-License-Identifier: BSL-1.0
// The presets: every script leaves every invariant whole, the kernel's own rules are obeyed, a run can be repeated and
// a listener copied, and nothing is left after close.
#include <listenq/preset/linux_2_6_32.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>

#include "driver.hpp"

using namespace property;

TEST_CASE("linux_6_18 keeps the invariants") { CHECK(holds<preset::linux_6_18>("linux_6_18")); }
TEST_CASE("linux_3_12 keeps the invariants") { CHECK(holds<preset::linux_3_12>("linux_3_12")); }
TEST_CASE("linux_2_6_32 keeps the invariants") { CHECK(holds<preset::linux_2_6_32>("linux_2_6_32")); }
