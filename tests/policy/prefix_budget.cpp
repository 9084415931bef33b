// SPDX-License-Identifier: BSL-1.0
// policy/prefix_budget.hpp: the prefixes, the share, and what a sketch may and may not get wrong.
#include <doctest/doctest.h>

#include <array>
#include <listenq/policy/prefix_budget.hpp>
#include <map>
#include <random>
#include <vector>

using namespace listenq;

namespace {

four_tuple from(ipv4::address a, std::uint16_t port = 1000) { return {a, ip(10, 0, 0, 1), port, 80}; }
basic_four_tuple<ipv6> from(ipv6::address a) { return {a, {}, 1000, 80}; }

ipv4::address network(std::uint64_t n) { return {static_cast<std::uint32_t>(n << 8)}; }

template <class Budget>
Budget with_limit(std::uint32_t limit, std::uint64_t seed = 0x0123456789abcdefU) {
  Budget b;
  CHECK(b.listens(limit, seed));
  return b;
}

}  // namespace

// A prefix that is a bit too long or too short, or taken from the wrong end.
TEST_CASE("addresses of one prefix share, addresses of two do not") {
  auto b = with_limit<per_prefix<24, 64, exactly<2>>>(100);
  b.entered(from(ip(1, 2, 3, 4)));
  CHECK(b.used(from(ip(1, 2, 3, 255))) == 1);
  CHECK(b.used(from(ip(1, 2, 2, 4))) == 0);
  CHECK(b.used(from(ip(1, 2, 4, 4))) == 0);
  CHECK(b.used(from(ip(129, 2, 3, 4))) == 0);
  auto odd = with_limit<per_prefix<17>>(100);
  odd.entered(from(ip(1, 2, 128, 0)));
  CHECK(odd.used(from(ip(1, 2, 255, 9))) == 1);
  CHECK(odd.used(from(ip(1, 2, 127, 0))) == 0);
  auto all = with_limit<per_prefix<0>>(100);
  all.entered(from(ip(1, 2, 3, 4)));
  CHECK(all.used(from(ip(200, 1, 1, 1))) == 1);
  auto one = with_limit<per_prefix<32>>(100);
  one.entered(from(ip(1, 2, 3, 4)));
  CHECK(one.used(from(ip(1, 2, 3, 5))) == 0);
}

TEST_CASE("IPv6 by its first 64 bits, IPv4 within it by its own, tenants apart") {
  auto b = with_limit<per_prefix<>>(100);
  b.entered(from(ipv6::address{{0x20010db8, 1, 2, 3}}));
  CHECK(b.used(from(ipv6::address{{0x20010db8, 1, 9, 9}})) == 1);
  CHECK(b.used(from(ipv6::address{{0x20010db8, 2, 2, 3}})) == 0);
  auto odd = with_limit<per_prefix<24, 48>>(100);
  odd.entered(from(ipv6::address{{0x20010db8, 0x00010000, 0, 0}}));
  CHECK(odd.used(from(ipv6::address{{0x20010db8, 0x0001ffff, 5, 5}})) == 1);
  CHECK(odd.used(from(ipv6::address{{0x20010db8, 0x00020000, 0, 0}})) == 0);

  using both = basic_four_tuple<dual>;
  auto d = with_limit<per_prefix<>>(100);
  d.entered(both{dual::mapped(ip(1, 2, 3, 4)), {}, 1, 80});
  CHECK(d.used(both{dual::mapped(ip(1, 2, 3, 5)), {}, 1, 80}) == 1);
  CHECK(d.used(both{dual::mapped(ip(1, 2, 4, 4)), {}, 1, 80}) == 0);  // a mapped address is no /64

  using tenant = basic_four_tuple<tagged<ipv4>>;
  auto t = with_limit<per_prefix<>>(100);
  t.entered(tenant{{ip(1, 2, 3, 4), 7}, {}, 1, 80});
  CHECK(t.used(tenant{{ip(1, 2, 3, 9), 7}, {}, 1, 80}) == 1);
  CHECK(t.used(tenant{{ip(1, 2, 3, 4), 8}, {}, 1, 80}) == 0);
}

// `<=` for `<`: a share of one more; a share of nothing that refuses everybody; a share that does not follow listen().
TEST_CASE("a prefix gets its share of the limit and not one more") {
  auto b = with_limit<per_prefix<24, 64, times<1, 4>>>(129);
  CHECK(b.share() == 32);
  std::uint32_t n = 0;
  for (; n < 100 && b.allows(from(ip(1, 2, 3, static_cast<std::uint8_t>(n)))); ++n) {
    b.entered(from(ip(1, 2, 3, static_cast<std::uint8_t>(n))));
  }
  CHECK(n == 32);
  CHECK(b.allows(from(ip(1, 2, 4, 1))));
  b.left(from(ip(1, 2, 3, 0)), departure::promoted);
  CHECK(b.allows(from(ip(1, 2, 3, 99))));
  CHECK(b.listens(400, 0x0123456789abcdefU));
  CHECK(b.share() == 100);
  CHECK(b.used(from(ip(1, 2, 3, 1))) == 31);  // a second listen() forgets nobody
  CHECK(with_limit<per_prefix<24, 64, times<1, 4>>>(3).share() == 1);
  CHECK(with_limit<per_prefix<24, 64, exactly<7>>>(1000).share() == 7);
}

// A counter that is forgotten in a row, or counted twice: used() would drift below the truth or never come back to it.
TEST_CASE("a sketch never counts too few, and holds exactly the live requests") {
  auto b = with_limit<per_prefix<24, 64, times<1, 4>, 16, 2>>(1000);  // narrow, so that everything collides
  std::mt19937 random{1};
  std::vector<four_tuple> live;
  std::map<std::uint32_t, std::uint32_t> truth;
  for (int i = 0; i < 3000; ++i) {
    if (live.empty() || random() % 5 < 3) {
      live.push_back(from(network(random() % 40), static_cast<std::uint16_t>(random())));
      b.entered(live.back());
      ++truth[live.back().peer_address.value >> 8];
    } else {
      const std::size_t at = random() % live.size();
      b.left(live[at], departure::expired);
      --truth[live[at].peer_address.value >> 8];
      live[at] = live.back();
      live.pop_back();
    }
    if (i % 100 != 0) continue;
    for (const auto& [prefix, n] : truth) CHECK(b.used(from(network(prefix))) >= n);
    const auto each = [&live](auto&& f) {
      for (const auto& k : live) f(k);
    };
    CHECK(b.balanced(each));
    CHECK_FALSE(b.balanced([&](auto&& f) {
      each(f);
      f(from(ip(99, 9, 9, 9)));
    }));
  }
}

// The bound of the header: with a quarter for each, at most 4 of 256 counters in each of 3 rows are full.
TEST_CASE("a prefix with room is hardly ever refused, whatever the others do") {
  auto b = with_limit<per_prefix<24, 64, times<1, 4>>>(128);
  for (std::uint8_t attacker = 1; attacker <= 4; ++attacker) {
    for (std::uint8_t i = 0; i < 32; ++i) b.entered(from(ip(66, 0, attacker, i)));
  }
  int refused = 0;
  for (std::uint32_t i = 0; i < 100000; ++i) refused += b.allows(from(network(0x0a0000U + i))) ? 0 : 1;
  CHECK(refused <= 5);  // 0.4 expected
}

// The key ignored: collisions could be looked for at home.
TEST_CASE("who collides depends on the seed") {
  using narrow = per_prefix<24, 64, exactly<1>, 16, 1>;
  auto a = with_limit<narrow>(10, 1);
  auto b = with_limit<narrow>(10, 2);
  a.entered(from(ip(1, 1, 1, 1)));
  b.entered(from(ip(1, 1, 1, 1)));
  int differ = 0;
  for (std::uint32_t i = 0; i < 256; ++i) differ += a.allows(from(network(i))) != b.allows(from(network(i))) ? 1 : 0;
  CHECK(differ > 10);
}

namespace {

// Do two addresses share a budget of one?
template <class Budget, addressing A = ipv6>
bool share(const typename A::address& a, const typename A::address& b) {
  auto budget = with_limit<Budget>(100);
  budget.entered(basic_four_tuple<A>{a, {}, 1000, 80});
  return !budget.allows(basic_four_tuple<A>{b, {}, 1000, 80});
}

constexpr ipv6::address v6(std::uint32_t a, std::uint32_t b, std::uint32_t c = 0, std::uint32_t d = 0) {
  ipv6::address x{};
  x.value[0] = a, x.value[1] = b, x.value[2] = c, x.value[3] = d;
  return x;
}

}  // namespace

TEST_CASE("an IPv6 prefix ends at its last bit, in the middle of a word and at its edge") {
  using half_word = per_prefix<24, 48, exactly<1>>;
  CHECK(share<half_word>(v6(1, 0x00010000), v6(1, 0x0001ffff)));
  CHECK_FALSE(share<half_word>(v6(1, 0x00010000), v6(1, 0x00020000)));
  CHECK_FALSE(share<half_word>(v6(1, 0), v6(2, 0)));
  using word = per_prefix<24, 32, exactly<1>>;
  CHECK(share<word>(v6(1, 0), v6(1, 0x80000000U, 5, 6)));
  CHECK_FALSE(share<word>(v6(1, 0), v6(0x80000001U, 0)));
  using three = per_prefix<24, 96, exactly<1>>;
  CHECK(share<three>(v6(1, 2, 3, 4), v6(1, 2, 3, 0xffffffffU)));
  CHECK_FALSE(share<three>(v6(1, 2, 3, 4), v6(1, 2, 0x80000003U, 4)));
  CHECK_FALSE(share<three>(v6(1, 2, 3, 4), v6(1, 2, 2, 4)));
  CHECK_FALSE(share<per_prefix<24, 128, exactly<1>>>(v6(1, 2, 3, 4), v6(1, 2, 3, 5)));
  CHECK(share<per_prefix<24, 0, exactly<1>>>(v6(1, 2, 3, 4), v6(0xffffffffU, 2, 3, 5)));
}

TEST_CASE("a prefix of no bits is everybody's, one of 32 bits one address's") {
  using all = per_prefix<0, 64, exactly<1>>;
  CHECK(share<all, ipv4>(ip(1, 2, 3, 4), ip(250, 2, 3, 4)));
  using one = per_prefix<32, 64, exactly<1>>;
  CHECK_FALSE(share<one, ipv4>(ip(1, 2, 3, 4), ip(1, 2, 3, 5)));
}

TEST_CASE("dual: a mapped address by IPv4's prefix, any other by IPv6's") {
  using b = per_prefix<24, 64, exactly<1>>;
  const auto mapped = [](std::uint32_t v4) {
    dual::address a{};
    a.value[2] = 0xffffU, a.value[3] = v4;
    return a;
  };
  REQUIRE(dual::is_mapped(mapped(1)));
  CHECK(share<b, dual>(mapped(0x01020300), mapped(0x010203ff)));
  CHECK_FALSE(share<b, dual>(mapped(0x01020300), mapped(0x01020400)));
  dual::address plain{};
  plain.value[3] = 0x01020300;
  CHECK_FALSE(share<b, dual>(mapped(0x01020300), plain));
  dual::address loopback{};  // its prefix is all zeros, and that of 0.0.0.1, too
  loopback.value[3] = 1;
  CHECK_FALSE(share<b, dual>(mapped(1), loopback));
}

TEST_CASE("a tag and an address: either makes another prefix") {
  using b = per_prefix<24, 64, exactly<1>>;
  const auto at = [](std::uint32_t tag, const ipv6::address& base) {
    tagged<ipv6>::address a{};
    a.tag = tag, a.base = base;
    return a;
  };
  CHECK(share<b, tagged<ipv6>>(at(1, v6(1, 2, 3)), at(1, v6(1, 2, 9))));
  CHECK_FALSE(share<b, tagged<ipv6>>(at(1, v6(1, 2)), at(2, v6(1, 2))));
  CHECK_FALSE(share<b, tagged<ipv6>>(at(1, v6(1, 2)), at(1, v6(1, 3))));
  CHECK_FALSE(share<b, tagged<ipv6>>(at(1, v6(1, 2)), at(1, v6(3, 2))));
}

// Rows that follow each other, or of which only one is read, are one row: 1 in 16 instead of 1 in 256.
TEST_CASE("a stranger is taken for a crowded prefix only where all rows collide") {
  auto b = with_limit<per_prefix<24, 64, exactly<1>, 16, 2>>(100);
  b.entered(from(network(0)));
  int taken = 0;
  for (std::uint64_t n = 1; n <= 4000; ++n) taken += !b.allows(from(network(n)));
  CHECK(taken > 4);
  CHECK(taken < 40);
}

namespace {

// A family of the user's own, of which every word counts. It keeps the highest place that a word was asked of.
struct own {
  using address = std::array<std::uint32_t, 2>;
  static constexpr std::size_t words = 2;
  static inline std::size_t highest = 0;
  static std::uint32_t word(const address& a, std::size_t i) noexcept {
    if (i > highest) highest = i;
    return a[i < words ? i : 0];
  }
};

template <addressing A, unsigned V4Bits, unsigned V6Bits>
std::vector<std::uint32_t> words_of(const typename A::address& a) {
  using prefix = detail::prefix<A, V4Bits, V6Bits>;
  std::vector<std::uint32_t> words;
  for (std::size_t i = 0; i < prefix::count; ++i) words.push_back(prefix::word(a, i));
  return words;
}

}  // namespace

// Two prefixes can take each other's place where both are hashed; here are the words themselves. A base's word that
// comes from the wrong place, an IPv6 address in a dual listener that is not cut.
TEST_CASE("the words of a prefix: those of the address, what is behind its bits 0") {
  using words = std::vector<std::uint32_t>;
  CHECK(words_of<ipv4, 20, 0>(ip(1, 2, 0xff, 4)) == words{0x0102f000});
  CHECK(words_of<ipv4, 0, 0>(ip(1, 2, 3, 4)) == words{0});
  CHECK(words_of<ipv4, 32, 0>(ip(1, 2, 3, 4)) == words{0x01020304});
  const ipv6::address a = v6(0x20010db8, 0xffffffffU, 0xffffffffU, 7);
  CHECK(words_of<ipv6, 24, 64>(a) == words{0x20010db8, 0xffffffffU, 0, 0});
  CHECK(words_of<ipv6, 24, 72>(a) == words{0x20010db8, 0xffffffffU, 0xff000000U, 0});
  CHECK(words_of<dual, 24, 48>(dual::address{a}) == words{0x20010db8, 0xffff0000U, 0, 0});
  CHECK(words_of<dual, 24, 48>(dual::mapped(ip(1, 2, 3, 4))) == words{0, 0, 0xffff, 0x01020300});
  CHECK(words_of<tagged<ipv6>, 24, 96>({a, 5}) == words{5, 0x20010db8, 0xffffffffU, 0xffffffffU, 0});
  CHECK(words_of<tagged<ipv4>, 8, 64>({ip(1, 2, 3, 4), 5}) == words{5, 0x01000000});
  CHECK(words_of<own, 8, 8>({0x01020304, 0x05060708}) == words{0x01020304, 0x05060708});
}

// A word asked for that the family does not have: a read, and a write, beyond an array.
TEST_CASE("addresses of an unknown family are taken whole, and asked for the words that they have") {
  using b = per_prefix<8, 8, exactly<1>>;
  own::highest = 0;
  CHECK(share<b, own>({1, 2}, {1, 2}));
  CHECK_FALSE(share<b, own>({1, 2}, {1, 3}));
  CHECK_FALSE(share<b, own>({1, 2}, {2, 2}));
  CHECK(own::highest == 1);
}

// An IPv6 peer that is counted by its whole address has as many shares as it has addresses.
TEST_CASE("dual: IPv6 peers of one prefix share, too") {
  using b = per_prefix<24, 64, exactly<1>>;
  CHECK(share<b, dual>(dual::address{v6(1, 2, 3, 4)}, dual::address{v6(1, 2, 9, 4)}));
  CHECK(share<b, dual>(dual::address{v6(1, 2, 3, 4)}, dual::address{v6(1, 2, 3, 0x04000000)}));
  CHECK_FALSE(share<b, dual>(dual::address{v6(1, 2, 3, 4)}, dual::address{v6(1, 3, 3, 4)}));
}

TEST_CASE("before listen() a prefix has room for one, under the seed 0") {
  using narrow = per_prefix<24, 64, exactly<1>, 16, 1>;
  narrow fresh;
  auto zero = with_limit<narrow>(100, 0);
  CHECK(fresh.share() == 1);
  CHECK(fresh.allows(from(network(0))));
  fresh.entered(from(network(0)));
  zero.entered(from(network(0)));
  for (std::uint64_t n = 0; n < 256; ++n) CHECK(fresh.used(from(network(n))) == zero.used(from(network(n))));
}
