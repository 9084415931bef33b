// SPDX-License-Identifier: BSL-1.0
// The presets of stacks in user space obey the rules that were read in them. Where a queue has thousands of places,
// fewer scripts are played: each look at it costs as much.
#include <listenq/preset/gvisor.hpp>
#include <listenq/preset/lwip.hpp>
#include <listenq/preset/mtcp.hpp>
#include <listenq/preset/onload.hpp>
#include <listenq/preset/seastar.hpp>
#include <listenq/preset/shadow.hpp>
#include <listenq/preset/smoltcp.hpp>
#include <listenq/preset/vpp.hpp>

#include "holds.hpp"

using namespace property;

TEST_CASE("gvisor") { CHECK(holds<preset::gvisor>("gvisor")); }
TEST_CASE("lwip") { CHECK(holds<preset::lwip>("lwip")); }
TEST_CASE("mtcp") { CHECK(holds<preset::mtcp>("mtcp", 60)); }
TEST_CASE("onload") { CHECK(holds<preset::onload>("onload")); }
TEST_CASE("seastar") { CHECK(holds<preset::seastar>("seastar")); }
TEST_CASE("shadow") { CHECK(holds<preset::shadow>("shadow")); }
TEST_CASE("smoltcp") { CHECK(holds<preset::smoltcp>("smoltcp")); }
TEST_CASE("vpp") { CHECK(holds<preset::vpp>("vpp", 60)); }
