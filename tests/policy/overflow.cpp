// SPDX-License-Identifier: BSL-1.0
// policy/overflow.hpp: what a full queue answers.
#include <doctest/doctest.h>

#include <listenq/policy/overflow.hpp>

#include "support/tuning.hpp"

using namespace listenq;
using test::tuning;

TEST_CASE("drop and reset at a full request queue") {
  CHECK(drop::on_request_full({}) == syn_answer::drop);
  CHECK(reset::on_request_full({}) == syn_answer::reset);
}

TEST_CASE("drop, reset and admit at a full accept queue") {
  CHECK(drop::on_accept_full({}) == syn_answer::drop);
  CHECK(reset::on_accept_full({}) == syn_answer::reset);
  CHECK(admit::on_accept_full({}) == syn_answer::admit);
}

// `>=` for `>`: the articles' third client would not be admitted (kernels.md 2.1, step 2: A > N and Y > 1).
TEST_CASE("drop_if_young<n> admits while at most n requests are young") {
  for (std::uint32_t young = 0; young <= 4; ++young) {
    CAPTURE(young);
    CHECK(drop_if_young<1>::on_accept_full({.young = young}) == (young <= 1 ? syn_answer::admit : syn_answer::drop));
    CHECK(drop_if_young<0>::on_accept_full({.young = young}) == (young == 0 ? syn_answer::admit : syn_answer::drop));
    CHECK(drop_if_young<3>::on_accept_full({.young = young}) == (young <= 3 ? syn_answer::admit : syn_answer::drop));
  }
}

TEST_CASE("keep, reset and forget at the final ACK") {
  const auto t = tuning({{tunable::abort_on_overflow, 1}});
  CHECK(keep::on_overflow({}, t) == ack_answer::keep);
  CHECK(reset::on_overflow({}, tuning({})) == ack_answer::reset);
  CHECK(forget::on_overflow({}, t) == ack_answer::forget);
}

// tcp_abort_on_overflow inverted, or not named and so not settable.
TEST_CASE("abort_if_tuned resets when the administrator says so") {
  CHECK(abort_if_tuned::on_overflow({}, tuning({{tunable::abort_on_overflow, 0}})) == ack_answer::keep);
  CHECK(abort_if_tuned::on_overflow({}, tuning({{tunable::abort_on_overflow, 1}})) == ack_answer::reset);
  CHECK(tunables_of<abort_if_tuned> == tunable_set{tunable::abort_on_overflow});
}

// Onload before it followed Linux: a quarter of the smaller of the two queues, rounded down, and `>` as there.
TEST_CASE("drop_if_young_above<1, 4> admits while at most a quarter of the smaller queue's slots are young") {
  using quarter = drop_if_young_above<1, 4>;
  const auto at = [](std::uint32_t young, std::uint32_t limit, std::uint32_t accept_slots) {
    return quarter::on_accept_full({.young = young, .limit = limit, .accept_slots = accept_slots});
  };
  CHECK(at(32, 256, 128) == syn_answer::admit);
  CHECK(at(33, 256, 128) == syn_answer::drop);
  CHECK(at(32, 128, 4096) == syn_answer::admit);
  CHECK(at(33, 128, 4096) == syn_answer::drop);
  CHECK(at(0, 3, 3) == syn_answer::admit);  // 3 / 4 is 0
  CHECK(at(1, 3, 3) == syn_answer::drop);
  CHECK(at(0x40000000U, 0xffffffffU, 0xffffffffU) == syn_answer::drop);
  CHECK(drop_if_young_above<3, 1>::on_accept_full({.young = 7, .limit = 2, .accept_slots = 9}) == syn_answer::drop);
}

// A set that is an index, or evictions counted among those that are none.
TEST_CASE("answers form sets, and those from evict_oldest on are evictions") {
  constexpr syn_answers s{syn_answer::drop, syn_answer::evict_random};
  CHECK(s.has(syn_answer::drop));
  CHECK(s.has(syn_answer::evict_random));
  CHECK_FALSE(s.has(syn_answer::reset));
  CHECK(s.any(syn_answer::reset, syn_answer::evict_random));
  CHECK_FALSE(s.any(syn_answer::reset, syn_answer::evict_oldest));
  CHECK((s | syn_answers{syn_answer::reset}).has(syn_answer::reset));
  CHECK(evictions_of<drop> == syn_answers{});
  for (const syn_answer a : {syn_answer::admit, syn_answer::drop, syn_answer::reset}) CHECK_FALSE(evicts(a));
  for (const syn_answer a :
       {syn_answer::evict_oldest, syn_answer::drop_and_evict_most_retried, syn_answer::evict_from_here_on}) {
    CHECK(evicts(a));
  }
}
