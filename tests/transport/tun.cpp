// SPDX-License-Identifier: BSL-1.0
// transport/tun.hpp without a TUN interface: what fails, and how it says so. tests/kernel has the packets.
#include <doctest/doctest.h>

#include <listenq/transport/tun.hpp>
#include <string>

using namespace listenq;

// Bug caught: a long name cut off silently, so that the wrong interface is made; a descriptor left open on failure.
TEST_CASE("tun: a name that is none is an error with a name") {
  tun t;
  CHECK(t.open(std::string(16, 'x')) == tun_error::bad_name);
  CHECK(t.system_error() == ENAMETOOLONG);
  CHECK_FALSE(t.is_open());
  CHECK(std::string(name_of(tun_error::bad_name)) == "bad_name");
  CHECK(std::string(name_of(tun_error::system)) == "system");
}

TEST_CASE("tun: a closed one yields nothing and takes nothing") {
  tun t;
  CHECK(t.descriptor() == -1);
  CHECK_FALSE(t.writable());
  CHECK_FALSE(t.receive());
  CHECK(t.send({}) == send_result::failed);
  tun other(std::move(t));
  CHECK_FALSE(other.is_open());
}
