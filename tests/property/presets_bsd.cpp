// SPDX-License-Identifier: BSL-1.0
// The presets of the BSDs and of other systems obey the rules that were read or fitted.
#include <listenq/preset/bsd_classic.hpp>
#include <listenq/preset/freebsd_13.hpp>
#include <listenq/preset/freebsd_4.hpp>
#include <listenq/preset/hpux.hpp>
#include <listenq/preset/netbsd.hpp>
#include <listenq/preset/openbsd.hpp>
#include <listenq/preset/solaris.hpp>
#include <listenq/preset/windows_2003.hpp>
#include <listenq/preset/windows_nt.hpp>
#include <listenq/preset/xnu.hpp>

#include "holds.hpp"

using namespace property;

TEST_CASE("freebsd_13") { CHECK(holds<preset::freebsd_13>("freebsd_13")); }
TEST_CASE("freebsd_4") { CHECK(holds<preset::freebsd_4>("freebsd_4", 100)); }
TEST_CASE("netbsd") { CHECK(holds<preset::netbsd>("netbsd", 100)); }
TEST_CASE("openbsd") { CHECK(holds<preset::openbsd>("openbsd", 100)); }
TEST_CASE("bsd_classic") { CHECK(holds<preset::bsd_classic>("bsd_classic")); }
TEST_CASE("xnu") { CHECK(holds<preset::xnu>("xnu")); }
TEST_CASE("solaris") { CHECK(holds<preset::solaris>("solaris")); }
TEST_CASE("hpux") { CHECK(holds<preset::hpux>("hpux")); }
TEST_CASE("windows_nt") { CHECK(holds<preset::windows_nt>("windows_nt")); }
TEST_CASE("windows_2003") { CHECK(holds<preset::windows_2003>("windows_2003")); }

// As in presets_linux.cpp: last in this file.
TEST_CASE("scripts reach every verdict that other systems add") {
  if (!standard_run) return;
  using enum verdict;
  for (const verdict v :
       {duplicate_unsent, wrong_ack_forgotten, wrong_ack_resent, wrong_timestamp, reset_accept_full, cookie_sent}) {
    CAPTURE(std::string{name_of(v)});
    CHECK(seen[static_cast<std::size_t>(v)] > 0);
  }
}
