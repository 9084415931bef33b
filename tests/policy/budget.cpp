// SPDX-License-Identifier: BSL-1.0
// policy/budget.hpp: the null model. What a real budget is told, tests/listener.cpp says.
#include <doctest/doctest.h>

#include <listenq/policy/budget.hpp>
#include <type_traits>

using namespace listenq;

// A null model with a limit or with state.
TEST_CASE("no_budget allows everybody, in every family, and holds nothing") {
  CHECK(no_budget::allows(four_tuple{}));
  CHECK(no_budget::allows(basic_four_tuple<ipv6>{}));
  no_budget::entered(four_tuple{});
  no_budget::left(four_tuple{}, departure::evicted);
  CHECK(no_budget::allows(four_tuple{}));
  CHECK(std::is_empty_v<no_budget>);
}

namespace {

template <int Id>
struct counting {
  static constexpr const char* name = "counting";
  int held = 0;
  int most = 100;
  bool takes_part = true;
  std::uint64_t secret = 0;
  template <addressing A>
  bool allows(const basic_four_tuple<A>&) const {
    return held < most;
  }
  template <addressing A>
  void entered(const basic_four_tuple<A>&) {
    ++held;
  }
  template <addressing A>
  void left(const basic_four_tuple<A>&, departure) {
    --held;
  }
  bool listens(std::uint32_t, std::uint64_t seed) {
    secret = seed;
    return takes_part;
  }
  template <class ForEachKey>
  bool balanced(ForEachKey&& each) const {
    int n = 0;
    each([&n](const auto&) { ++n; });
    return n == held;
  }
};

}  // namespace

// One of them not told, or not asked: it would drift, or forbid nothing.
TEST_CASE("every<...> tells all of them, asks all of them, and gives each a secret of its own") {
  every<counting<0>, no_budget, counting<1>> b;
  auto& x = b.first;
  auto& y = b.rest.rest.first;
  CHECK(b.listens(10, 77));
  CHECK(x.secret != y.secret);
  b.attach(counting<1>{.most = 2});
  CHECK(b.allows(four_tuple{}));
  b.entered(four_tuple{}), b.entered(four_tuple{});
  CHECK(x.held == 2);
  CHECK(y.held == 2);
  CHECK_FALSE(b.allows(four_tuple{}));
  y.most = 100;
  x.most = 1;
  CHECK_FALSE(b.allows(four_tuple{}));
  const auto two = [](auto&& f) { f(four_tuple{}), f(four_tuple{}); };
  CHECK(b.balanced(two));
  ++y.held;
  CHECK_FALSE(b.balanced(two));
  --y.held, ++x.held;
  CHECK_FALSE(b.balanced(two));
  b.left(four_tuple{}, departure::reset);
  CHECK(y.held == 1);
  y.takes_part = false;
  CHECK_FALSE(b.listens(10, 77));
  y.takes_part = true, x.takes_part = false;
  CHECK_FALSE(b.listens(10, 77));
  CHECK(every<>::allows(four_tuple{}));
}

namespace {

struct seeded {
  std::uint64_t seed = 0;
  constexpr bool listens(std::uint32_t, std::uint64_t s) noexcept {
    seed = s;
    return true;
  }
  template <addressing A>
  static constexpr bool allows(const basic_four_tuple<A>&) noexcept {
    return true;
  }
  template <addressing A>
  static constexpr void entered(const basic_four_tuple<A>&) noexcept {}
  template <addressing A>
  static constexpr void left(const basic_four_tuple<A>&, departure) noexcept {}
};
struct seeded_too : seeded {};

}  // namespace

// One secret for all: two prefixes that collide in the first sketch would collide in every other one.
TEST_CASE("every: each budget has a secret of its own, made of the whole seed") {
  const auto second_seed = [](std::uint64_t seed) {
    every<seeded, seeded_too> all;
    CHECK(all.listens(5, seed));
    CHECK(all.first.seed == seed);
    CHECK(all.rest.first.seed != seed);
    return all.rest.first.seed;
  };
  CHECK(second_seed(1) != second_seed(2));
  CHECK(second_seed(std::uint64_t{1} << 40) != second_seed(std::uint64_t{2} << 40));
  CHECK(second_seed(1) % 16 != 1);
}
