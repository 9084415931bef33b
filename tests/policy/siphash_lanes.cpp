// SPDX-License-Identifier: BSL-1.0
// Eight hashes at once against one after the other.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <listenq/policy/hashing.hpp>
#include <string>

using namespace listenq;

namespace {

template <int C, int D, std::size_t N>
void compare() {
  using hash = siphash<C, D>;
  if (!hash::hashes_eight()) return;  // this CPU has no such registers, and nobody is asked
  const hash h{{0x0706050403020100U, 0x0f0e0d0c0b0a0908U}};
  std::uint32_t words[N][8], draw = 1;
  for (auto& row : words) {
    for (std::uint32_t& w : row) w = draw = draw * 1664525 + 1013904223;
  }
  std::uint64_t all[8]{};
  h.hash_eight(words, all);
  for (std::size_t k = 0; k < 8; ++k) {
    std::uint32_t key[N];
    for (std::size_t i = 0; i < N; ++i) key[i] = words[i][k];
    CAPTURE(k);
    CHECK(all[k] == h.hash(key, N));
    CHECK(all[k] == h.hash(key));
  }
}

}  // namespace

// A lane that gets another's word, a length that is missing from the last block, a rotation by the wrong number: peers
// in a burst would not find their requests.
TEST_CASE("eight hashes at once are the eight hashes, for any number of words") {
  compare<2, 4, 1>();
  compare<2, 4, 2>();
  compare<2, 4, 3>();
  compare<2, 4, 9>();
  compare<1, 3, 3>();
  compare<1, 3, 10>();
}

#if defined(__x86_64__) && defined(__linux__)
// Another feature asked for, or the answer turned round: an illegal instruction on old CPUs, none of the gain on
// others.
TEST_CASE("eight at once are offered where the system says that the CPU has AVX2, and only there") {
  std::ifstream file{"/proc/cpuinfo"};
  const std::string info{std::istreambuf_iterator<char>{file}, {}};
  if (info.find("\nflags") == std::string::npos) return;  // a system that does not say
  CHECK(siphash<>::hashes_eight() == (info.find(" avx2") != std::string::npos));
}
#endif
