// SPDX-License-Identifier: BSL-1.0
// policy/shared_budget.hpp: reserves and the common rest.
#include <doctest/doctest.h>

#include <listenq/policy/shared_budget.hpp>
#include <memory>

using namespace listenq;

namespace {

const four_tuple anybody{};

std::uint32_t take(shared_budget<>& b, std::uint32_t most) {
  std::uint32_t n = 0;
  for (; n < most && b.allows(anybody); ++n) b.entered(anybody);
  return n;
}
void give_back(shared_budget<>& b, std::uint32_t n) {
  for (; n > 0; --n) b.left(anybody, departure::expired);
}

}  // namespace

// A reserve that counts against the common slots, or one that others can take.
TEST_CASE("nobody can take a neighbour's reserve, and what is nobody's goes to whoever is first") {
  slot_pool<> pool{100};
  shared_budget<> a, b, c;
  a.attach(shared_budget<>{&pool, 30});
  b.attach(shared_budget<>{&pool, 20});
  c.attach(shared_budget<>{&pool});
  CHECK(pool.common() == 50);
  CHECK(take(a, 1000) == 80);
  CHECK(take(c, 1000) == 0);
  CHECK(take(b, 1000) == 20);
  give_back(a, 1);  // the last of the common ones that it holds
  CHECK(take(c, 1000) == 1);
  CHECK(take(a, 1000) == 0);
  CHECK(a.used() == 79);
  give_back(a, 79), give_back(b, 20), give_back(c, 1);
  CHECK(pool.common_used() == 0);
  CHECK(take(c, 1000) == 50);
}

// A slot returned to the reserve first: the common ones would run dry though nobody holds them.
TEST_CASE("what goes back goes to the common slots first") {
  slot_pool<> pool{10};
  shared_budget<> a, b;
  a.attach(shared_budget<>{&pool, 4});
  b.attach(shared_budget<>{&pool, 0});
  CHECK(take(a, 1000) == 10);
  CHECK(pool.common_used() == 6);
  give_back(a, 6);
  CHECK(pool.common_used() == 0);
  give_back(a, 1);
  CHECK(pool.common_used() == 0);
  CHECK(take(b, 1000) == 6);
  CHECK(take(a, 1000) == 1);
}

// Reserves handed out twice; a place that is lost when its listener goes.
TEST_CASE("a reserve is granted or refused, and comes back with everything else when a listener goes") {
  slot_pool<2> pool{10};
  const shared_budget<slot_pool<2>> eight{&pool, 8}, three{&pool, 3}, none{&pool, 0};
  auto a = std::make_unique<shared_budget<slot_pool<2>>>();
  a->attach(eight);
  CHECK(a->listens(5, 0));
  shared_budget<slot_pool<2>> b;
  b.attach(three);
  CHECK_FALSE(b.listens(5, 0));
  CHECK_FALSE(b.allows(anybody));
  b.attach(none);
  CHECK(b.listens(5, 0));
  shared_budget<slot_pool<2>> third;
  third.attach(none);
  CHECK_FALSE(third.listens(5, 0));
  for (int i = 0; i < 9; ++i) a->entered(anybody);
  CHECK(pool.common_used() == 1);
  a.reset();
  CHECK(pool.common() == 10);
  CHECK(pool.common_used() == 0);
  third.attach(three);
  CHECK(third.listens(5, 0));
}

TEST_CASE("without a pool there is no share, and it is balanced when it counts what is there") {
  shared_budget<> lonely;
  CHECK_FALSE(lonely.listens(1, 0));
  CHECK_FALSE(lonely.allows(anybody));
  slot_pool<> pool{10};
  shared_budget<> a;
  a.attach(shared_budget<>{&pool, 2});
  take(a, 3);
  const auto each = [](int n) {
    return [n](auto&& f) {
      for (int i = 0; i < n; ++i) f(anybody);
    };
  };
  CHECK(a.balanced(each(3)));
  CHECK_FALSE(a.balanced(each(2)));
  CHECK_FALSE(a.balanced(each(4)));
}

TEST_CASE("a reserve must fit into what is not taken, and a listener that goes gives back what it used of the rest") {
  slot_pool<> pool{10};
  {
    shared_budget<> a, b;
    a.attach(shared_budget<>{&pool, 2});
    CHECK(take(a, 5) == 5);  // two of its own, three common ones
    CHECK(pool.common_used() == 3);
    b.attach(shared_budget<>{&pool, 6});
    CHECK_FALSE(b.listens(1, 0));
    shared_budget<> c;
    c.attach(shared_budget<>{&pool, 5});
    CHECK(c.listens(1, 0));
    CHECK(take(c, 3) == 3);  // fewer than its reserve
  }
  CHECK(pool.common() == 10);
  CHECK(pool.common_used() == 0);
}

// A second reserve taken for the same listener, which gives back one; a place in no pool.
TEST_CASE("a listener joins one pool, once, and a value without a pool joins none") {
  slot_pool<> pool{100}, other{100};
  {
    shared_budget<> a;
    a.attach(shared_budget<>{});
    CHECK_FALSE(a.listens(1, 0));
    a.attach(shared_budget<>{&pool, 30});
    CHECK(a.listens(1, 0));
    CHECK(pool.common() == 70);
    a.attach(shared_budget<>{&pool, 20});
    CHECK(pool.common() == 70);
    a.attach(shared_budget<>{&other, 20});
    CHECK(other.common() == 100);
    a.attach(shared_budget<>{});
    CHECK(a.listens(1, 0));
    CHECK(take(a, 1000) == 100);
    give_back(a, 100);
  }
  CHECK(pool.common() == 100);
}
