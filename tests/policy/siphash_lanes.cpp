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

template <int C, int D, std::size_t Bytes>
void compare() {
  using hash = siphash<C, D>;
  if (!hash::hashes_eight()) return;  // this CPU has no such registers, and nobody is asked
  constexpr std::size_t n = Bytes / 8;
  const hash h{{0x0706050403020100U, 0x0f0e0d0c0b0a0908U}};
  std::uint64_t draw = 1;
  const auto next = [&draw] { return draw = draw * 6364136223846793005U + 1442695040888963407U; };
  const std::uint64_t begin[1] = {next()};
  std::uint64_t blocks[n + 1][8];
  for (auto& row : blocks) {
    for (std::uint64_t& b : row) b = next();
  }
  for (std::uint64_t& b : blocks[n]) b &= (std::uint64_t{1} << (8 * (Bytes % 8))) - 1;
  std::uint64_t all[8]{};
  h.template go_on_eight<8 + Bytes>(h.open(begin), blocks, all);
  for (std::size_t k = 0; k < 8; ++k) {
    std::uint64_t message[n + 1];
    for (std::size_t i = 0; i <= n; ++i) message[i] = blocks[i][k];
    CAPTURE(k);
    CHECK(all[k] == h.template go_on<8 + Bytes>(h.open(begin), message));
  }
}

}  // namespace

// A lane that gets another's block, a length that is missing from the last block, a rotation by the wrong number: peers
// in a burst would not find their requests.
TEST_CASE("eight hashes at once are the eight hashes, for messages of any length") {
  compare<2, 4, 6>();
  compare<2, 4, 7>();
  compare<2, 4, 8>();
  compare<2, 4, 20>();
  compare<1, 3, 6>();
  compare<1, 3, 44>();
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
