// SPDX-License-Identifier: BSL-1.0
// Initial sequence numbers (RFC 6528): without the key, what one peer is told says nothing of what another one is. All
// statistics are of fixed keys, so that nothing flickers; each has a weak generator beside it that fails.
#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/transport/splitmix64.hpp>
#include <vector>

using namespace listenq;

namespace {

/// Adds the words: depends on all of them, and hides nothing.
struct sum {
  std::uint64_t key = 0;
  constexpr std::uint64_t hash(const std::uint32_t* words, std::size_t n) const noexcept {
    std::uint64_t h = key;
    for (std::size_t i = 0; i < n; ++i) h += std::uint64_t{words[i]} << 32 | words[i];
    return h;
  }
};

constexpr std::uint32_t peers = 1U << 14;

/// The ISNs that neighbours get at one moment: ports in a row, then addresses in a row.
template <class Hash>
std::vector<seq_number> numbers_of(const Hash& hash, instant now = 0) {
  listener<hashing<Hash>> l{hash};
  l.listen(4095);
  std::vector<seq_number> all;
  for (std::uint32_t i = 0; i < peers; ++i) {
    segment s{{{0xc0000200U + (i >> 12)}, static_cast<std::uint16_t>(1024 + (i & 0xfffU))}, {ip(10, 0, 0, 1), 80}};
    s.flags = flag::syn;
    const auto step = l.receive(s, now);
    all.push_back(step.reply->seq);
    s.flags = flag::rst;  // makes room
    s.seq = 1;
    l.receive(s, now);
  }
  return all;
}

/// Chi-square of one byte of each number against a uniform one: 255 degrees of freedom, mean 255, deviation 22.6.
double chi_square(const std::vector<seq_number>& all, unsigned byte) {
  std::array<double, 256> seen{};
  for (const seq_number n : all) ++seen[n >> 8 * byte & 0xffU];
  const double expected = static_cast<double>(all.size()) / 256;
  double sum = 0;
  for (const double n : seen) sum += (n - expected) * (n - expected) / expected;
  return sum;
}
std::vector<seq_number> differences(const std::vector<seq_number>& all, std::size_t apart) {
  std::vector<seq_number> d;
  for (std::size_t i = apart; i < all.size(); ++i) d.push_back(all[i] - all[i - apart]);
  return d;
}
/// Above it once in a million times, by chance.
constexpr double limit = 375;

bool uniform(const std::vector<seq_number>& all) {
  for (unsigned byte = 0; byte < 4; ++byte) {
    if (chi_square(all, byte) > limit) return false;
  }
  return true;
}
/// Bits that two rows of numbers have in common, in deviations from the half that chance gives.
double common_bits(const std::vector<seq_number>& a, const std::vector<seq_number>& b) {
  double same = 0;
  for (std::size_t i = 0; i < a.size(); ++i) same += std::popcount(~(a[i] ^ b[i]));
  const double bits = 32.0 * static_cast<double>(a.size());
  return std::abs(same - bits / 2) / (std::sqrt(bits) / 2);
}

}  // namespace

// A hash that is cut, or takes one word for another: whoever gets numbers himself could tell those of others.
TEST_CASE("the numbers of neighbours look drawn by chance, and so do their differences") {
  for (const siphash_key key : {siphash_key{1, 2}, siphash_key{~0ULL, 0}, siphash_key{0x0123456789abcdefU, 77}}) {
    const auto all = numbers_of(siphash<2, 4>{key});
    CHECK(uniform(all));
    for (const std::size_t apart : {1U, 2U, 3U, 256U, 4096U}) {
      CAPTURE(apart);
      CHECK(uniform(differences(all, apart)));
    }
  }
  const auto weak = numbers_of(sum{0x123456789abcdefU});
  CHECK_FALSE(uniform(weak));
  CHECK_FALSE(uniform(differences(weak, 1)));
}

// A key that only shifts the numbers: then the difference of two is the same after every boot.
TEST_CASE("another key gives numbers that have nothing to do with these") {
  splitmix64 random(3);
  const auto all = numbers_of(siphash<2, 4>{{1, 2}});
  for (int i = 0; i < 4; ++i) {
    const auto other = numbers_of(siphash<2, 4>{{random.next(), random.next()}});
    CHECK(common_bits(all, other) < 5);
    CHECK(common_bits(differences(all, 1), differences(other, 1)) < 5);
  }
  const auto one_bit = numbers_of(siphash<2, 4>{{1, 3}});
  CHECK(common_bits(all, one_bit) < 5);
  CHECK(common_bits(differences(numbers_of(sum{5}), 1), differences(numbers_of(sum{99}), 1)) > 50);
}

// RFC 6528 3: the clock goes on for each peer alone, by one every 4 us, so that an old connection's numbers stay
// behind.
TEST_CASE("the numbers of one peer follow the clock, in steps of 4 us") {
  const auto before = numbers_of(siphash<2, 4>{{1, 2}}, 0);
  for (const instant later : {instant{3}, instant{4}, instant{4000}, 3600 * second}) {
    const auto after = numbers_of(siphash<2, 4>{{1, 2}}, later);
    const auto step = static_cast<seq_number>(later / 4);
    bool all = true;
    for (std::size_t i = 0; i < before.size(); ++i) all = all && after[i] - before[i] == step;
    CAPTURE(later);
    CHECK(all);
  }
}

// A blind attacker has to guess our number: how often does a guess finish a handshake? A request takes one number of
// 2^32.
TEST_CASE("a blind ACK finishes no handshake, a window of guesses no more than its share") {
  listener<> l{siphash<2, 4>{{1, 2}}};
  l.listen(16);
  segment s{{ip(192, 0, 2, 1), 1024}, {ip(10, 0, 0, 1), 80}, 7, 0, flag::syn};
  const seq_number iss = l.receive(s, 0).reply->seq;
  s.flags = flag::ack;
  s.seq = 8;
  int promoted = 0;
  for (seq_number guess = 0; guess < 1U << 16; ++guess) {
    s.ack = iss + 2 + guess * 65521;  // all over the number space, but for the right one
    promoted += l.receive(s, 0).outcome.verdict == verdict::promoted ? 1 : 0;
  }
  CHECK(promoted == 0);
  s.ack = iss + 1;
  CHECK(l.receive(s, 0).outcome.verdict == verdict::promoted);
}
