// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>

#include <cstddef>
#include <listenq/static_array.hpp>

using namespace listenq;

// One more than there are, or one less: counters beyond the last, a name that nobody prints.
TEST_CASE("a static_array has as many items as its type says, in order") {
  constexpr static_array<int, 3> a{5, 6, 7};
  static_assert(a.size() == 3 && sizeof(a) == 3 * sizeof(int));
  static_assert(a[0] == 5 && a[2] == 7 && a.data() == &a[0]);
  int sum = 0;
  std::size_t n = 0;
  for (const int i : a) sum = 10 * sum + i, ++n;
  CHECK(sum == 567);
  CHECK(n == 3);
}

TEST_CASE("what is not named is nothing, and all can be changed") {
  static_array<int, 4> a{1};
  CHECK(a == static_array<int, 4>{1, 0, 0, 0});
  for (int& i : a) i += 2;
  a[3] = 9;
  *a.data() = 8;
  CHECK(a == static_array<int, 4>{8, 2, 2, 9});
  CHECK(a != static_array<int, 4>{8, 2, 2, 8});
}

// A list of counters may be empty.
TEST_CASE("one without items is there and has none") {
  const static_array<int, 0> none{};
  CHECK(none.size() == 0);
  CHECK(none.begin() == none.end());
}
