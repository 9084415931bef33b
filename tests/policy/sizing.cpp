// SPDX-License-Identifier: BSL-1.0
// policy/sizing.hpp: the steps one by one, then the table of Linux to 4.3 (kernels.md 1.3, users.md T3).
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/policy/clamp.hpp>
#include <listenq/policy/sizing.hpp>

#include "support/tuning.hpp"

using namespace listenq;
using test::every_tunable;
using test::tuning;

namespace {

constexpr std::uint32_t largest = 0xffffffffU;
constexpr every_tunable usual{};

// reqsk_queue_alloc of 2.6.32 and 3.12.
using linux_table = pipeline<at_most<tunable::max_syn_backlog>, at_least<8>, plus<1>, roundup_pow_of_two>;

template <class Step>
std::uint32_t apply(std::uint32_t n) {
  return Step::apply(n, usual);
}

}  // namespace

// min and max swapped, a bound off by one.
TEST_CASE("at_most and at_least are min and max with their bound") {
  CHECK(apply<at_most<256>>(255) == 255);
  CHECK(apply<at_most<256>>(256) == 256);
  CHECK(apply<at_most<256>>(257) == 256);
  CHECK(apply<at_most<0>>(1) == 0);
  CHECK(apply<at_least<8>>(7) == 8);
  CHECK(apply<at_least<8>>(8) == 8);
  CHECK(apply<at_least<8>>(9) == 9);
}

// A tunable read once, at compile time, or another tunable read.
TEST_CASE("a bound that is a tunable is read each time, and named") {
  using step = at_most<tunable::max_syn_backlog>;
  CHECK(step::apply(1000, tuning({{tunable::max_syn_backlog, 128}})) == 128);
  CHECK(step::apply(1000, tuning({{tunable::max_syn_backlog, 512}})) == 512);
  CHECK(exactly<tunable::somaxconn>::apply(1, tuning({{tunable::somaxconn, 77}})) == 77);
  CHECK(at_least<tunable::somaxconn>::apply(1, tuning({{tunable::somaxconn, 77}})) == 77);
  CHECK(tunables_of<step> == tunable_set{tunable::max_syn_backlog});
  CHECK(tunables_of<pipeline<step, exactly<tunable::somaxconn>, at_most<3>>> ==
        tunable_set{tunable::max_syn_backlog, tunable::somaxconn});
  CHECK(tunables_of<sized_once<pipeline<step>>> == tunable_set{tunable::max_syn_backlog});
  CHECK(tunables_of<pipeline<at_most<3>>> == tunable_set{});
}

// A sum or product that wraps to a small number: a huge backlog would admit nobody.
TEST_CASE("plus and times stay at the largest number instead of wrapping") {
  CHECK(apply<plus<1>>(0) == 1);
  CHECK(apply<plus<1>>(largest - 1) == largest);
  CHECK(apply<plus<1>>(largest) == largest);
  CHECK(apply<plus<100>>(largest - 50) == largest);
  CHECK(apply<times<3, 2>>(0) == 0);
  CHECK(apply<times<3, 2>>(1) == 1);
  CHECK(apply<times<3, 2>>(3) == 4);
  CHECK(apply<times<3>>(5) == 15);
  CHECK(apply<times<3, 2>>(0xaaaaaaaaU) == largest);
  CHECK(apply<times<3, 2>>(0xaaaaaaabU) == largest);
  CHECK(apply<times<2>>(largest) == largest);
}

// std::bit_ceil is undefined above 2^31; 0 has a bucket, too.
TEST_CASE("roundup_pow_of_two is total") {
  CHECK(apply<roundup_pow_of_two>(0) == 1);
  CHECK(apply<roundup_pow_of_two>(1) == 1);
  CHECK(apply<roundup_pow_of_two>(9) == 16);
  CHECK(apply<roundup_pow_of_two>(16) == 16);
  CHECK(apply<roundup_pow_of_two>(17) == 32);
  CHECK(apply<roundup_pow_of_two>(0x80000000U) == 0x80000000U);
  CHECK(apply<roundup_pow_of_two>(0x80000001U) == 0x80000000U);
  CHECK(apply<roundup_pow_of_two>(largest) == 0x80000000U);
}

// Steps applied from right to left: (1 + 1) * 3 would be 1 * 3 + 1.
TEST_CASE("a pipeline runs from left to right, and an empty one is N itself") {
  CHECK(pipeline<plus<1>, times<3>>::limit(1, usual) == 6);
  CHECK(pipeline<times<3>, plus<1>>::limit(1, usual) == 4);
  CHECK(pipeline<at_most<256>, at_least<8>, plus<1>, roundup_pow_of_two>::limit(1, usual) == 16);
  CHECK(same_as_backlog::limit(0, usual) == 0);
  CHECK(same_as_backlog::limit(511, usual) == 511);
  CHECK(backlog_plus_one_requests::limit(0, usual) == 1);
  CHECK(pipeline<exactly<5>>::limit(1000, usual) == 5);
}

// The article's errors: 8 for listen(1), 256 for backlogs above 256; min and max in the wrong order; `n` instead of
// `n + 1` before the rounding.
TEST_CASE("the request table of Linux to 4.3, by backlog and max_syn_backlog") {
  struct row {
    std::uint32_t first, last, table_1024, table_128;
  };
  constexpr row rows[] = {
      {0, 15, 16, 16},
      {16, 31, 32, 32},
      {32, 63, 64, 64},
      {64, 127, 128, 128},
      {128, 255, 256, 256},
      {256, 511, 512, 256},
      {512, 1023, 1024, 256},
      {1024, 1500, 2048, 256},
      {4096, 4100, 2048, 256},
      {65535, 65535, 2048, 256},
      {largest, largest, 2048, 256},
  };
  for (const row& r : rows) {
    for (std::uint64_t n = r.first; n <= r.last; ++n) {
      CAPTURE(n);
      const auto backlog = static_cast<std::uint32_t>(n);
      CHECK(linux_table::limit(backlog, tuning({{tunable::max_syn_backlog, 1024}})) == r.table_1024);
      CHECK(linux_table::limit(backlog, tuning({{tunable::max_syn_backlog, 128}})) == r.table_128);
    }
  }
}

// users.md T3: the two rows that readers of sysctl advice know, clamp included.
TEST_CASE("listen(N) to table size, with the defaults of 3.12 and with both limits raised") {
  struct row {
    int n;
    std::uint32_t somaxconn_128, raised;
  };
  constexpr row rows[] = {{0, 16, 16},     {5, 16, 16},     {15, 16, 16},     {16, 32, 32},
                          {50, 64, 64},    {64, 128, 128},  {100, 128, 128},  {127, 128, 128},
                          {128, 256, 256}, {511, 256, 512}, {512, 256, 1024}, {1024, 256, 2048}};
  for (const row& r : rows) {
    CAPTURE(r.n);
    const auto plain = tuning({{tunable::somaxconn, 128}, {tunable::max_syn_backlog, 1024}});
    const auto raised = tuning({{tunable::somaxconn, 65535}, {tunable::max_syn_backlog, 2048}});
    CHECK(linux_table::limit(to_somaxconn::clamp(r.n, plain), plain) == r.somaxconn_128);
    CHECK(linux_table::limit(to_somaxconn::clamp(r.n, raised), raised) == r.raised);
  }
}

// The mask off by one bit, or a wrap where the value fits.
TEST_CASE("low_bits keeps what a narrow field can hold") {
  CHECK(apply<low_bits<16>>(65535) == 65535);
  CHECK(apply<low_bits<16>>(65536) == 0);
  CHECK(apply<low_bits<16>>(65537) == 1);
  CHECK(apply<low_bits<8>>(256) == 0);
  CHECK(apply<low_bits<31>>(largest) == 0x7fffffffU);
}

// What other kernels and stacks let wait, each from its own rule and not from a neighbour's (kernels.md 1.4 and 1.6,
// users.md 1.7, peers.md).
TEST_CASE("the bounds of other systems, by backlog") {
  const auto t = tuning({{tunable::max_syn_backlog, 256}});
  using linux_2_6_18 = pipeline<exactly<tunable::max_syn_backlog>, at_least<64>, roundup_pow_of_two>;
  using onload = pipeline<exactly<tunable::max_syn_backlog>>;  // EF_TCP_BACKLOG_MAX
  using includeos = pipeline<exactly<64>>;
  struct row {
    std::uint32_t n, linux_5_15, linux_6_18, shadow, gvisor, seastar;
  };
  for (const row& r : {row{0, 0, 1, 1, 0, 0}, row{1, 1, 2, 2, 1, 1}, row{100, 100, 101, 101, 100, 100}}) {
    CAPTURE(r.n);
    CHECK(same_as_backlog::limit(r.n, t) == r.linux_5_15);  // Q >= N: nobody for listen(0)
    CHECK(backlog_plus_one_requests::limit(r.n, t) == r.linux_6_18);
    CHECK(backlog_plus_one_requests::limit(r.n, t) == r.shadow);
    CHECK(same_as_backlog::limit(r.n, t) == r.gvisor);   // capacity N + 1, half-open ones up to capacity - 1
    CHECK(same_as_backlog::limit(r.n, t) == r.seastar);  // and `sum_to_backlog` for both together; so lwIP, turmoil
    CHECK(linux_2_6_18::limit(r.n, t) == 256);
    CHECK(onload::limit(r.n, t) == 256);
    CHECK(includeos::limit(r.n, t) == 64);
  }
  CHECK(linux_2_6_18::limit(5, tuning({{tunable::max_syn_backlog, 20}})) == 64);
  CHECK(linux_2_6_18::limit(5, tuning({{tunable::max_syn_backlog, 1000}})) == 1024);
}

// A second listen() that resizes an old kernel's table, or leaves a modern one alone.
TEST_CASE("only sized_once keeps the limit of the first listen, and it computes the same") {
  CHECK_FALSE(linux_table::once);
  CHECK(sized_once<linux_table>::once);
  CHECK(sized_once<linux_table>::limit(256, usual) == linux_table::limit(256, usual));
}
