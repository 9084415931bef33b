// SPDX-License-Identifier: BSL-1.0
// policy/cookie/key_ring.hpp: who signs, who verifies, until when.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/policy/cookie/key_ring.hpp>
#include <listenq/policy/cookie/linux_3_12.hpp>
#include <set>
#include <vector>

using namespace listenq;

namespace {

using key = siphash_key;

static_assert(key_ring<static_key::ring<key>, key> && key_ring<rotated<second>::ring<key>, key> &&
              key_ring<derived_keys<second>::ring<key>, key>);
static_assert(rotatable<static_key::ring<key>, key> && rotatable<rotated<second>::ring<key>, key> &&
              !rotatable<derived_keys<second>::ring<key>, key>);

// The numbers of the keys that verify, newest first.
template <class Ring>
std::vector<std::uint32_t> verifying(const Ring& r, instant now) {
  std::vector<std::uint32_t> numbers;
  r.any(now, [&](const numbered_key<key>& k) {
    numbers.push_back(k.number);
    return false;
  });
  return numbers;
}

template <class Ring>
bool verifies(const Ring& r, instant now, const key& k) {
  return r.any(now, [&](const numbered_key<key>& one) { return one.key == k; });
}

}  // namespace

TEST_CASE("a static key signs and verifies until it is replaced, and not an instant longer") {
  static_key::ring<key> r{{1, 2}};
  CHECK(r.signer(0) == numbered_key<key>{{1, 2}, 0});
  CHECK(verifies(r, 1000000 * second, {1, 2}));
  r.rotate({3, 4}, 5);
  CHECK(r.signer(5).key == key{3, 4});
  CHECK_FALSE(verifies(r, 5, {1, 2}));
}

// The old key never dies, or dies at once, or still signs.
TEST_CASE("a rotated key verifies for the overlap") {
  rotated<60 * second>::ring<key> r;
  r.seed({7, 7});
  const key first = r.signer(0).key;
  CHECK(verifying(r, 0) == std::vector<std::uint32_t>{0});
  r.rotate({3, 4}, 10 * second);
  CHECK(r.signer(10 * second) == numbered_key<key>{{3, 4}, 1});
  CHECK(verifying(r, 10 * second) == std::vector<std::uint32_t>{1, 0});
  CHECK(verifies(r, 70 * second - 1, first));
  CHECK_FALSE(verifies(r, 70 * second, first));
  CHECK(verifies(r, 70 * second, {3, 4}));
}

// Two rotations within an overlap: the ring has two places.
TEST_CASE("only the key before the newest verifies") {
  rotated<60 * second>::ring<key> r;
  r.rotate({1, 1}, 0);
  r.rotate({2, 2}, 1);
  r.rotate({3, 3}, 2);
  CHECK(verifies(r, 3, {3, 3}));
  CHECK(verifies(r, 3, {2, 2}));
  CHECK_FALSE(verifies(r, 3, {1, 1}));
  CHECK(verifying(r, 3) == std::vector<std::uint32_t>{3, 2});
}

// kernels.md 4.4: two keys, one replaced every 15 s. In the first period there is no older one.
TEST_CASE("derived keys change with the period, the one before verifies") {
  derived_keys<15 * second>::ring<key> r;
  r.seed({1, 2});
  CHECK(verifying(r, 0) == std::vector<std::uint32_t>{0});
  CHECK(verifying(r, 15 * second - 1) == std::vector<std::uint32_t>{0});
  CHECK(verifying(r, 15 * second) == std::vector<std::uint32_t>{1, 0});
  CHECK(verifying(r, 30 * second) == std::vector<std::uint32_t>{2, 1});
  const key first = r.signer(0).key;
  CHECK(r.signer(15 * second - 1).key == first);
  CHECK(verifies(r, 30 * second - 1, first));
  CHECK_FALSE(verifies(r, 30 * second, first));
}

// 2^32 periods of 15 s are two thousand years: the number wraps, the keys go on.
TEST_CASE("the number of a derived key wraps") {
  derived_keys<15 * second>::ring<key> r;
  const instant wrap = (instant{1} << 32) * 15 * second;
  CHECK(verifying(r, wrap - 1) == std::vector<std::uint32_t>{0xffffffff, 0xfffffffe});
  CHECK(verifying(r, wrap) == std::vector<std::uint32_t>{0, 0xffffffff});
}

// A key made of one word, repeated, or one that does not depend on the number or on a half of the secret.
TEST_CASE("keys from one secret are all different, in all of their words") {
  std::set<std::uint64_t> words;
  for (const siphash_key& secret : {key{1, 2}, key{1, 3}, key{2, 2}}) {
    for (std::uint32_t n = 0; n < 10; ++n) {
      const key k = expand_key<key>(secret, n);
      words.insert(k.k0), words.insert(k.k1);
    }
  }
  CHECK(words.size() == 60);
  const auto large = expand_key<linux_3_12_cookie_key>({1, 2}, 3);
  std::set<std::uint32_t> halves(large.tuple.begin(), large.tuple.end());
  halves.insert(large.minute.begin(), large.minute.end());
  CHECK(halves.size() == 34);
}

// Two machines that share a secret must make the same keys of it: one that hashes other bytes, or counts from 1, would
// refuse the other's cookies.
TEST_CASE("a key is the hash of (its number, 0), (its number, 1) under the secret") {
  constexpr key secret{1, 2};
  constexpr std::uint8_t words[2][8] = {{3, 0, 0, 0, 0, 0, 0, 0}, {3, 0, 0, 0, 1, 0, 0, 0}};
  CHECK(expand_key<key>(secret, 3) ==
        key{siphash<>::of_bytes(secret, words[0], 8), siphash<>::of_bytes(secret, words[1], 8)});
}

// A seed that is forgotten leaves the key of all zeros, which everybody knows.
TEST_CASE("a seeded ring signs with the key of number 0, a derived one with that of the period") {
  constexpr key secret{7, 9};
  const numbered_key<key> zeroth{expand_key<key>(secret, 0), 0};
  static_key::ring<key> one;
  one.seed(secret);
  CHECK(one.signer(0) == zeroth);
  rotated<60 * second>::ring<key> two;
  two.rotate({3, 4}, 0);
  two.seed(secret);
  CHECK(two.signer(1) == zeroth);
  CHECK(verifying(two, 1) == std::vector<std::uint32_t>{0});  // what was rotated away before is forgotten
  derived_keys<15 * second>::ring<key> derived;
  derived.seed(secret);
  CHECK(derived.signer(0) == zeroth);
  CHECK(derived.signer(30 * second) == numbered_key<key>{expand_key<key>(secret, 2), 2});
}
