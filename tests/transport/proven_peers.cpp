// SPDX-License-Identifier: BSL-1.0
// transport/proven_peers.hpp: who is remembered, and who is forgotten for whom.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/transport/proven_peers.hpp>

using namespace listenq;

namespace {

ipv4::address peer(unsigned i) { return {0x0a000000U + i}; }

}  // namespace

TEST_CASE("proven_peers: knows whom it has learned, and nobody else") {
  proven_peers<ipv4> p{64};
  CHECK_FALSE(p.knows(peer(1)));
  p.learn(peer(1));
  CHECK(p.knows(peer(1)));
  CHECK_FALSE(p.knows(peer(2)));
  CHECK_FALSE(p.knows({}));
}

// A bucket that displaces the newest, or grows beyond its depth.
TEST_CASE("proven_peers: the one heard of least recently makes room") {
  proven_peers<ipv4> p{5};  // one bucket
  CHECK(p.capacity() == 5);
  for (unsigned i = 0; i < 5; ++i) p.learn(peer(i));
  p.learn(peer(0));  // again: now 1 is the one that has been silent longest
  p.learn(peer(5));
  CHECK(p.knows(peer(0)));
  CHECK_FALSE(p.knows(peer(1)));
  for (unsigned i = 2; i < 6; ++i) CHECK(p.knows(peer(i)));
  p.learn(peer(6));
  CHECK_FALSE(p.knows(peer(2)));
}

TEST_CASE("proven_peers: learning twice takes one place") {
  proven_peers<ipv4> p{5};
  for (int n = 0; n < 9; ++n) p.learn(peer(7));
  for (unsigned i = 0; i < 4; ++i) p.learn(peer(i));
  CHECK(p.knows(peer(7)));
}

TEST_CASE("proven_peers: without room nobody is proven; with room for a few, at least so many are") {
  proven_peers<ipv4> none{0};
  none.learn(peer(1));
  CHECK_FALSE(none.knows(peer(1)));
  CHECK(none.capacity() == 0);
  proven_peers<ipv6> some{100};
  CHECK(some.capacity() >= 100);
  some.learn({{1, 2, 3, 4}});
  CHECK(some.knows({{1, 2, 3, 4}}));
  CHECK_FALSE(some.knows({{1, 2, 3, 5}}));
}
