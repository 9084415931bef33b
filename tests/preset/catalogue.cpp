// SPDX-License-Identifier: BSL-1.0
// preset/catalogue.hpp: what holds for every preset.
#include <doctest/doctest.h>

#include <listenq/preset/catalogue.hpp>
#include <set>
#include <string>

#include "support/script.hpp"

using namespace listenq;

// A line copied and not changed.
TEST_CASE("names differ, and nothing is left empty") {
  std::set<std::string> names;
  std::size_t n = 0;
  preset::for_each([&]<class L>(const preset::about& a) {
    names.insert(a.name);
    ++n;
    CHECK_FALSE(std::string{a.title}.empty());
    CHECK(std::string{a.era}.size() == 4);
    CHECK(std::string{preset::name_of(a.standing)}.size() > 3);
  });
  CHECK(names.size() == n);
  CHECK(n >= 24);
}

// A composition that refuses everybody, or that loses whom it has accepted.
TEST_CASE("one client connects and is accepted under every preset") {
  preset::for_each([]<class L>(const preset::about& a) {
    CAPTURE(std::string{a.name});
    test::script<L> s{4};
    CHECK(s.syn(0) == verdict::admitted);
    CHECK(s.ack(0) == verdict::promoted);
    CHECK(s.listener.request_count() == 0);
    CHECK(static_cast<bool>(s.listener.accept()));
    CHECK(s.listener.accept_count() == 0);
  });
}

// DESIGN: a place for a request of IPv4 stays small, whoever's rules it follows.
TEST_CASE("no preset needs more than 80 bytes a request") {
  preset::for_each([]<class L>(const preset::about& a) {
    CAPTURE(std::string{a.name});
    CHECK(L::bytes_per_request <= 80);
  });
}
