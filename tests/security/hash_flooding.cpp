// SPDX-License-Identifier: BSL-1.0
// Hash flooding: whoever knows the table, the function and our addresses, but not the key, cannot make a chain of the
// request table long. What is measured is what the attack is about: how far a look-up walks.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <listenq/detail/handover.hpp>
#include <listenq/listener.hpp>
#include <listenq/transport/splitmix64.hpp>
#include <vector>

using namespace listenq;

namespace {

constexpr ipv4::address our_address = ip(10, 0, 0, 1);

/// FNV-1a: a good function, but everybody can compute it.
struct unkeyed {
  constexpr std::uint64_t hash(const std::uint32_t* words, std::size_t n) const noexcept {
    std::uint64_t h = 0xcbf29ce484222325U;
    for (std::size_t i = 0; i < n; ++i) h = (h ^ words[i]) * 0x100000001b3U;
    return h ^ h >> 29;
  }
};

template <class Hash>
using door = listener<hashing<Hash>, waiting<backlog_plus_one>>;

constexpr int backlog = 1023;  // 1024 requests in 1024 buckets
constexpr std::uint32_t buckets = 1024;

segment syn(std::uint32_t address, std::uint16_t port) {
  segment s;
  s.source = {{address}, port};
  s.destination = {our_address, 80};
  s.flags = flag::syn;
  s.seq = address ^ port;
  return s;
}

/// Where `hash` would put it: the attacker knows the order of the words and how many buckets there are. It finds the
/// order out from a listener of its own, since only equal buckets are of use.
template <class Hash>
std::uint32_t bucket_of(const Hash& hash, const segment& s) {
  std::uint64_t h = 0;
  if constexpr (requires { typename Hash::opening; }) {
    const std::uint64_t local[] = {s.destination.address.value | std::uint64_t{s.destination.port} << 32};
    const std::uint64_t peer[] = {s.source.address.value | std::uint64_t{s.source.port} << 32};
    h = hash.template go_on<14>(hash.open(local), peer);
  } else {
    const std::uint32_t words[] = {s.source.address.value, s.destination.address.value,
                                   std::uint32_t{s.source.port} << 16 | s.destination.port};
    h = hash.hash(words, 3);
  }
  return static_cast<std::uint32_t>(h) & (buckets - 1);
}

/// 1024 peers that all go to one bucket under `hash`.
template <class Hash>
std::vector<segment> colliding(const Hash& hash) {
  std::vector<segment> all;
  splitmix64 random(5);
  while (all.size() < 1024) {
    const segment s = syn(static_cast<std::uint32_t>(random.next()), static_cast<std::uint16_t>(random.next()));
    if (bucket_of(hash, s) == 77) all.push_back(s);
  }
  return all;
}

struct cost {
  std::size_t longest = 0;  ///< steps of one look-up
  std::size_t total = 0;
  std::uint32_t stored = 0;
};
/// A flood, then a look-up of everybody.
template <class Hash>
cost flood(const std::vector<segment>& attack, const Hash& hash) {
  door<Hash> l{hash};
  REQUIRE(l.listen(backlog));
  null_sink out;
  for (const segment& s : attack) l.receive(s, 0, out);
  cost c;
  c.stored = l.request_count();
  const auto& state = detail::inside::of(l);
  for (const segment& s : attack) {
    const four_tuple key = four_tuple_of(s);
    const std::uint32_t bucket = detail::low(state.hash(key)) & (state.requests.buckets() - 1);
    std::size_t steps = 0;
    auto i = state.requests.bucket_front(bucket);
    for (; i != state.npos && !(state.requests[i].key == key); i = state.requests.bucket_next(i)) ++steps;
    REQUIRE(i != state.npos);
    c.longest = std::max(c.longest, ++steps);
    c.total += steps;
  }
  return c;
}

/// The longest chain of 1024 balls in 1024 boxes is 11 or more once in 10^5 times (1024 / (e 11!)); each key here is a
/// fixed one, so the test does not flicker.
constexpr std::size_t bound = 11;

}  // namespace

// This is the attack, and it works where there is no key: a test that could not fail would show nothing.
TEST_CASE("without a key the attacker puts everybody into one chain") {
  const cost c = flood(colliding(unkeyed{}), unkeyed{});
  CHECK(c.stored == 1024);
  CHECK(c.longest >= 1024);
}

// A key that is not used, or used for half of the words; a bucket taken from bits that the key does not reach.
TEST_CASE("with a key, peers that collide under any other key or under none are spread as by chance") {
  const siphash<2, 4> wrong{{0, 0}};
  const std::vector<segment> attacks[] = {colliding(unkeyed{}), colliding(wrong)};
  CHECK(flood(attacks[1], wrong).longest >= 1024);  // it is an attack on this function: who has the key succeeds
  splitmix64 random(11);
  for (int i = 0; i < 8; ++i) {
    const siphash<2, 4> secret{{random.next(), random.next()}};
    const siphash<1, 3> faster{{random.next(), random.next()}};
    for (const auto& attack : attacks) {
      const cost c = flood(attack, secret);
      CHECK(c.stored == 1024);
      CHECK(c.longest <= bound);
      CHECK(c.total <= std::size_t{1024} * 4);  // on average a look-up takes about one and a half
      CHECK(flood(attack, faster).longest <= bound);
    }
  }
}

// Addresses and ports in a row, or one bit apart, are what real floods have.
TEST_CASE("peers in a row are spread as by chance, too") {
  std::vector<segment> ports;
  std::vector<segment> hosts;
  std::vector<segment> strides;
  for (std::uint32_t i = 0; i < 1024; ++i) {
    ports.push_back(syn(0xc0000201, static_cast<std::uint16_t>(1024 + i)));
    hosts.push_back(syn(0xc0000000 + i, 1024));
    strides.push_back(syn(i << 20, static_cast<std::uint16_t>(i << 6)));
  }
  splitmix64 random(13);
  for (int i = 0; i < 8; ++i) {
    const siphash<2, 4> secret{{random.next(), random.next()}};
    for (const auto* attack : {&ports, &hosts, &strides}) CHECK(flood(*attack, secret).longest <= bound);
  }
}

// A syncache evicts within a bucket: whoever could aim would throw a victim out with thirty SYNs.
TEST_CASE("nobody can aim at the bucket of a victim in a syncache") {
  using cache = listener<hashing<siphash<2, 4>>, sizing<syncache<512, 30>>, admission<syncache_gates>,
                         request_full<evict_in_bucket>>;
  const auto survives = [](const siphash<2, 4>& theirs, const siphash<2, 4>& ours) {
    cache l{ours};
    REQUIRE(l.listen(128));
    null_sink out;
    segment victim{{ip(10, 0, 0, 9), 1025}, {ip(10, 0, 0, 1), 80}, 1, 0, flag::syn};
    l.receive(victim, 0, out);
    cache model{theirs};  // what the attacker believes ours to be
    REQUIRE(model.listen(128));
    const std::uint32_t aim = model.bucket_of(four_tuple_of(victim));
    splitmix64 random(17);
    for (int sent = 0; sent < 60;) {
      segment s = victim;
      s.source = {{static_cast<std::uint32_t>(random.next())}, static_cast<std::uint16_t>(random.next())};
      if (model.bucket_of(four_tuple_of(s)) != aim) continue;
      l.receive(s, 0, out);
      ++sent;
    }
    return l.find_request(four_tuple_of(victim)) != nullptr;
  };
  const siphash<2, 4> ours{{1, 2}};
  CHECK_FALSE(survives(ours, ours));
  CHECK(survives({{3, 4}}, ours));
  CHECK(survives({}, ours));
}
