// SPDX-License-Identifier: BSL-1.0
// policy/waiting.hpp: kernels.md 1.2 and the closed forms of UNP figure 4.10.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/policy/waiting.hpp>

using namespace listenq;

namespace {

// How many connections enter an empty accept queue before it says "full", `requests` being half-open all the time.
template <class Waiting>
std::uint32_t room(std::uint32_t backlog, std::uint32_t requests = 0) {
  std::uint32_t n = 0;
  while (!Waiting::full({n, requests}, backlog) && n < 100000) ++n;
  return n;
}

// The columns of UNP figure 4.10 (3rd edition) for backlogs 0 to 14.
constexpr std::uint32_t macos_aix[15] = {1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20, 22};
constexpr std::uint32_t hpux[15] = {1, 1, 3, 4, 6, 7, 9, 10, 12, 13, 15, 16, 18, 19, 21};
constexpr std::uint32_t solaris[15] = {1, 2, 4, 5, 6, 8, 10, 11, 13, 14, 16, 17, 19, 20, 22};
constexpr std::uint32_t freebsd_4_8[15] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

}  // namespace

// `>=` for `>` and the other way round: Linux tried and reverted it twice.
TEST_CASE("Linux holds N + 1: full is A > N") {
  for (std::uint32_t n = 0; n <= 14; ++n) {
    CAPTURE(n);
    CHECK(room<backlog_plus_one>(n) == freebsd_4_8[n]);
    CHECK_FALSE(backlog_plus_one::full({n, 9999}, n));
    CHECK(backlog_plus_one::full({n + 1, 0}, n));
  }
}

TEST_CASE("exactly_backlog holds N, and nobody for N = 0") {
  for (std::uint32_t n = 0; n <= 14; ++n) CHECK(room<exactly_backlog>(n) == n);
}

// 3 / 2 rounded up, or the + 1 forgotten.
TEST_CASE("three_halves_plus_one is UNP's column for the BSD line") {
  for (std::uint32_t n = 0; n <= 14; ++n) {
    CAPTURE(n);
    CHECK(room<three_halves_plus_one>(n) == macos_aix[n]);
  }
  CHECK(room<three_halves_plus_one>(128) == 193);  // netstat -L on FreeBSD 7.1: 193/0/128
}

// The one without the other: HP-UX reaches its bound and has a slot for listen(0).
TEST_CASE("HP-UX is UNP's column, Solaris all of its column but listen(4)") {
  for (std::uint32_t n = 0; n <= 14; ++n) {
    CAPTURE(n);
    CHECK(room<three_halves>(n) == hpux[n]);
    CHECK(room<three_halves_plus_one>(n) == solaris[n] + (n == 4 ? 1U : 0U));
  }
}

// kernels.md 1.5 and quirk 4: the field has 16 bits, the argument more. A itself does not wrap here: where the kernel's
// `A > 65535` can never be true, 65536 is where we stop.
TEST_CASE("a backlog that is kept in 16 bits loses the rest") {
  CHECK(room<backlog_16_bits>(65536) == 1);
  CHECK(room<backlog_16_bits>(65536 + 128) == 129);
  CHECK(room<backlog_16_bits>(128) == 129);
  CHECK(backlog_16_bits::capacity(65535) == 65536);
  CHECK_FALSE(backlog_16_bits::full({65535, 0}, 65535));
  CHECK(backlog_16_bits::full({65536, 0}, 65535));
}

// Requests left out of the sum, or the bound applied to one queue only.
TEST_CASE("the sums count both queues") {
  CHECK(room<sum_to_three_times>(5) == 16);
  CHECK(room<sum_to_three_times>(5, 10) == 6);
  CHECK(room<sum_to_three_times>(5, 16) == 0);
  CHECK(room<sum_to_backlog>(5) == 5);
  CHECK(room<sum_to_backlog>(5, 2) == 3);
  CHECK(room<sum_to_backlog>(5, 5) == 0);
  CHECK(room<sum_to_three_halves_plus_one>(5) == 8);  // 4.4BSD, NetBSD
  CHECK(room<sum_to_three_halves_plus_one>(5, 7) == 1);
  CHECK(room<sum_to_three_halves_plus_one>(5, 8) == 0);
  CHECK(room<sum_to_three_halves>(5) == 7);  // XNU, soqlimitcompat=0
  CHECK(room<sum_to_three_halves>(5, 6) == 1);
  CHECK(room<sum_to_three_halves>(5, 7) == 0);
  CHECK(sum_to_backlog::full({0xffffffffU, 1}, 5));  // the sum does not wrap
}

// A queue with less room than its own rule allows would refuse somebody whom the rule lets in.
TEST_CASE("capacity is what full() lets in, for every model") {
  for (std::uint32_t n = 0; n <= 200; ++n) {
    CAPTURE(n);
    CHECK(backlog_plus_one::capacity(n) == room<backlog_plus_one>(n));
    CHECK(exactly_backlog::capacity(n) == room<exactly_backlog>(n));
    CHECK(three_halves_plus_one::capacity(n) == room<three_halves_plus_one>(n));
    CHECK(sum_to_three_times::capacity(n) == room<sum_to_three_times>(n));
    CHECK(sum_to_backlog::capacity(n) == room<sum_to_backlog>(n));
    CHECK(sum_to_three_halves_plus_one::capacity(n) == room<sum_to_three_halves_plus_one>(n));
    CHECK(sum_to_three_halves::capacity(n) == room<sum_to_three_halves>(n));
    CHECK(three_halves::capacity(n) == room<three_halves>(n));
  }
}

// A + 1 or 3 N that wraps: a queue for the largest backlog would have no slot.
TEST_CASE("the largest backlog does not wrap") {
  CHECK(backlog_plus_one::capacity(0xffffffffU) == 0xffffffffU);
  CHECK(three_halves_plus_one::capacity(0xffffffffU) == 0xffffffffU);
  CHECK_FALSE(backlog_plus_one::full({0xffffffffU, 0}, 0xffffffffU));
  CHECK(backlog_plus_one::full({0xffffffffU, 0}, 0xfffffffeU));
}
