// SPDX-License-Identifier: BSL-1.0
// The predicates of the policies are total: for N = 0, for the largest N and for any lengths they say what the kernels'
// arithmetic says in integers that do not wrap.
#include <rapidcheck.h>

#include <boost/hana/for_each.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <tuple>

#include "holds.hpp"

using namespace property;
namespace hana = boost::hana;

namespace {

/// Any number, the smallest and the largest ones as often as all the others.
rc::Gen<std::uint32_t> any_count() {
  return rc::gen::weightedOneOf<std::uint32_t>({{2, rc::gen::arbitrary<std::uint32_t>()},
                                                {2, rc::gen::inRange<std::uint32_t>(0, 20)},
                                                {1, rc::gen::inRange<std::uint32_t>(0xfffffff0U, 0xffffffffU)},
                                                {1, rc::gen::just(0xffffffffU)},
                                                {1, rc::gen::inRange<std::uint32_t>(0x7ffffff0U, 0x80000010U)},
                                                {1, rc::gen::inRange<std::uint32_t>(0x55555550U, 0x55555560U)}});
}

template <class P>
testing::rules promised() {
  testing::rules r;
  testing::promise<P>::of(r);
  return r;
}

constexpr std::uint64_t largest = 0xffffffffU;

}  // namespace

TEST_CASE("waiting: full() is the kernels' test, and capacity() the least number that is full") {
  constexpr auto policies =
      hana::tuple_t<backlog_plus_one, exactly_backlog, three_halves_plus_one, sum_to_three_times, sum_to_backlog>;
  hana::for_each(policies, [](auto row) {
    using P = typename decltype(row)::type;
    const auto full = promised<P>().accept_full;
    CHECK(rc::check(std::string{"waiting "} + P::name, [&] {
      const std::uint32_t n = *any_count();
      const std::uint32_t a = *any_count();
      const std::uint32_t q = *any_count();
      // A bound beyond the largest number stays there.
      if (3 * std::uint64_t{n} <= largest)
        RC_ASSERT(P::full({a, q}, n) == full({.accepted = a, .requests = q, .backlog = n}));
      const std::uint32_t most = P::capacity(n);
      if (most > 0) RC_ASSERT(!P::full({most - 1, 0}, n));
      if (most < largest) RC_ASSERT(P::full({most, 0}, n));
    }));
  });
}

TEST_CASE("sizing: the limit is the kernels' number, and never wraps to a small one") {
  constexpr auto policies =
      hana::tuple_t<pipeline<plus<1>>, pipeline<>, pipeline<exactly<4>>, pipeline<plus<1>, roundup_pow_of_two>,
                    policy_of<preset::linux_3_12, slot::sizing>>;
  hana::for_each(policies, [](auto row) {
    using P = typename decltype(row)::type;
    const auto room = promised<P>().room;
    CHECK(rc::check(std::string{"sizing "} + P::name, [&] {
      tunable_values<tunable_set{tunable::max_syn_backlog}, defaults<>> t;
      t.assign(tunable::max_syn_backlog, *rc::gen::inRange<std::uint32_t>(0, 0x7fffffff));
      const std::uint32_t n = *any_count();
      const std::uint64_t due = room(n, t[tunable::max_syn_backlog]);
      const std::uint32_t limit = P::limit(n, t);
      RC_ASSERT(limit == due || (due > 0x80000000U && limit >= 0x80000000U));
    }));
  });
}

TEST_CASE("clamp: every int has an answer") {
  constexpr auto policies = hana::tuple_t<to_somaxconn, negative_to_somaxconn, zero_to_somaxconn, negative_to_zero,
                                          as_is, at_least_80, up_to<200, 1>, windows_hint>;
  hana::for_each(policies, [](auto row) {
    using P = typename decltype(row)::type;
    const auto clamped = promised<P>().clamp;
    CHECK(rc::check(std::string{"clamp "} + P::name, [&] {
      tunable_values<tunable_set{tunable::somaxconn}, defaults<>> t;
      t.assign(tunable::somaxconn, *rc::gen::inRange<std::uint32_t>(0, 0x7fffffff));
      const auto n = static_cast<int>(*any_count());
      RC_ASSERT(P::clamp(n, t) == clamped(n, t[tunable::somaxconn]));
    }));
  });
}

TEST_CASE(
    "pressure: never longer than the schedule, never below two retries, and fewer young never mean longer lives") {
  constexpr auto policies = hana::tuple_t<no_pressure, half_table, half_backlog>;
  hana::for_each(policies, [](auto row) {
    using P = typename decltype(row)::type;
    CHECK(rc::check(std::string{"pressure "} + P::name, [] {
      pressure_facts f{.requests = *any_count(), .limit = *any_count(), .backlog = *any_count()};
      f.retries = *rc::gen::inRange<std::uint32_t>(0, 256);
      f.young = *any_count() % (f.requests < largest ? f.requests + 1 : f.requests);
      const std::uint32_t threshold = P::threshold(f);
      RC_ASSERT(threshold <= f.retries);
      RC_ASSERT(threshold >= std::min<std::uint32_t>(2, f.retries));
      if (2 * std::uint64_t{f.young} > f.requests) RC_ASSERT(threshold == f.retries);
      if (f.young > 0) {
        --f.young;
        RC_ASSERT(P::threshold(f) <= threshold);
      }
    }));
  });
}
