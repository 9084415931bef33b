// SPDX-License-Identifier: BSL-1.0
// queue/request_order.hpp: the buckets of a syncache, their lines and their secrets (kernels.md 1.6).
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/queue/request_order.hpp>
#include <vector>

using namespace listenq;
using detail::bucket_lines;
using detail::npos;

namespace {

/// Cells that are nothing but links.
template <class Syncache>
struct lines_over {
  struct cell : bucket_lines<Syncache>::links {
    std::uint32_t hash = 0;
  };
  bucket_lines<Syncache> order{};
  std::vector<cell> cells = std::vector<cell>(1000);

  void enter(std::uint32_t i, std::uint32_t hash) {
    cells[i].hash = hash;
    order.enter(cells, i, hash);
  }
  void leave(std::uint32_t i) { order.leave(cells, i, cells[i].hash); }
  std::uint32_t length_for(std::uint32_t hash) const { return order.length(order.place(hash)); }
};

}  // namespace

// Depth and limit taken for each other, `>` for `>=`.
TEST_CASE("a bucket is full at its depth, the whole at its limit") {
  lines_over<syncache<4, 3, 5>> f;
  for (std::uint32_t i = 0; i < 3; ++i) {
    CHECK_FALSE(f.order.full(1));
    f.enter(i, 1 + 4 * i);  // all in bucket 1
  }
  CHECK(f.order.crowded(1));
  CHECK(f.order.full(1));
  CHECK_FALSE(f.order.full(2));
  f.enter(3, 2), f.enter(4, 3);
  CHECK(f.order.full(2));
  CHECK_FALSE(f.order.crowded(2));
  CHECK(f.order.full(0));
  f.leave(1);
  CHECK_FALSE(f.order.full(1));
  CHECK(f.order.length(1) == 2);
}

// A line whose ends are wrong after its first, its last or its only one has gone.
TEST_CASE("the oldest of a bucket is the one that came first and is still there") {
  lines_over<syncache<4, 9>> f;
  f.enter(7, 1), f.enter(3, 5), f.enter(9, 1), f.enter(1, 2);
  CHECK(f.order.oldest_in(1) == 7);
  f.leave(3);
  f.leave(7);
  CHECK(f.order.oldest_in(5) == 9);
  f.enter(7, 9);
  CHECK(f.order.oldest_in(1) == 9);
  f.leave(9), f.leave(7);
  CHECK(f.order.oldest_in(1) == npos);
  CHECK(f.order.oldest_in(2) == 1);
  f.order.clear();
  CHECK(f.order.oldest_in(2) == npos);
  CHECK(f.order.length(2) == 0);
}

// syn_cache_insert: own bucket first, then upwards, then round; never past the start.
TEST_CASE("from here on: the own bucket, then the next that is not empty, round the end") {
  lines_over<syncache<4, 9>> f;
  CHECK(f.order.oldest_from(2) == npos);
  f.enter(0, 1), f.enter(1, 1);
  CHECK(f.order.oldest_from(1) == 0);
  CHECK(f.order.oldest_from(2) == 0);
  CHECK(f.order.oldest_from(0) == 0);
  f.enter(2, 3);
  CHECK(f.order.oldest_from(2) == 2);
  CHECK(f.order.oldest_from(3) == 2);
  CHECK(f.order.oldest_from(0) == 0);
  f.leave(0), f.leave(1);
  CHECK(f.order.oldest_from(0) == 2);
}

TEST_CASE("a bucket remembers when it was last found full, its neighbours do not") {
  lines_over<syncache<4, 1>> f;
  CHECK(f.order.overflowed(1) < 0);
  f.order.overflow(1, 7 * second);
  CHECK(f.order.overflowed(5) == 7 * second);
  CHECK(f.order.overflowed(2) < 0);
  f.order.clear();
  CHECK(f.order.overflowed(1) < 0);
}

// kernels.md 6, invariant 44: a new secret under a stored request would take it out of another bucket's count.
TEST_CASE("a secret changes only over an empty set, and then buckets are others") {
  using cache = syncache<8, 100, 1000, reseeded<5>>;
  lines_over<cache> f;
  CHECK(f.order.wants_seed());
  f.order.seed(0x1234567890abcdefU);
  std::vector<std::uint32_t> before;
  for (std::uint32_t h = 0; h < 64; ++h) before.push_back(f.order.place(h));
  for (std::uint32_t i = 0; i < 4; ++i) {
    CHECK_FALSE(f.order.wants_seed());
    f.enter(i, i);
    CHECK(f.order.place(63) == before[63]);
  }
  f.enter(4, 4);  // the fifth use: the other set is empty and takes over
  CHECK(f.order.place(63) >= 8);
  CHECK(f.order.wants_seed());
  f.order.seed(0xfedcba0987654321U);
  int moved = 0;
  for (std::uint32_t h = 0; h < 64; ++h) moved += f.order.place(h) - 8 != before[h] ? 1 : 0;
  CHECK(moved > 40);
  for (std::uint32_t i = 5; i < 20; ++i) f.enter(i, i);  // the first set is not empty: these stay in the second
  CHECK(f.order.place(0) >= 8);
  for (std::uint32_t i = 0; i < 5; ++i) {
    CHECK(f.cells[i].place == before[i]);
    f.leave(i);
  }
  f.enter(20, 20);
  CHECK(f.order.place(0) < 8);  // now it is, and this newcomer was one too many
  CHECK(f.order.wants_seed());
  f.order.seed(1);
  for (std::uint32_t i = 5; i < 21; ++i) f.leave(i);
  for (std::uint32_t b = 0; b < 16; ++b) CHECK(f.order.length(b) == 0);
}

// OpenBSD: an overflow spends the secret, whatever uses were left.
TEST_CASE("an overflow spends the secret") {
  lines_over<syncache<8, 2, 1000, reseeded<100000>>> f;
  f.order.seed(42);
  f.enter(0, 0);
  f.order.overflow(0, 1);
  CHECK_FALSE(f.order.wants_seed());  // it has requests
  f.enter(1, 1);
  CHECK(f.order.place(0) >= 8);
  CHECK(f.order.wants_seed());
}

// A multiplier that sends everybody to a few buckets.
TEST_CASE("under a secret, hashes spread over all buckets") {
  lines_over<syncache<293, 1000, 100000, reseeded<>>> f;
  f.order.seed(0x9e3779b97f4a7c15U);
  std::vector<int> hits(293);
  for (std::uint32_t h = 0; h < 29300; ++h) ++hits[f.order.place(h * 2654435761U)];
  for (const int n : hits) {
    CHECK(n > 40);
    CHECK(n < 180);
  }
}

TEST_CASE("a cleared cache has room again, in the bucket and in all") {
  lines_over<syncache<4, 3, 5>> f;
  for (std::uint32_t i = 0; i < 5; ++i) f.enter(i, i);
  REQUIRE(f.order.full(3));
  f.order.clear();
  for (std::uint32_t i = 0; i < 4; ++i) CHECK_FALSE(f.order.full(i));
  CHECK(f.length_for(0) == 0);
  CHECK(f.order.oldest_in(0) == npos);
}

// One use left over: the next newcomer would come under the secret that an attacker has learnt.
TEST_CASE("after an overflow no use of the secret is left, also when its set has emptied") {
  lines_over<syncache<8, 2, 1000, reseeded<100000>>> f;
  f.order.seed(42);
  f.enter(0, 0);
  f.order.overflow(0, 1);
  f.leave(0);
  CHECK(f.order.wants_seed());
}
