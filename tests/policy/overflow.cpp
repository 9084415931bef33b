// SPDX-License-Identifier: BSL-1.0
// policy/overflow.hpp: what a full queue answers.
#include <doctest/doctest.h>

#include <listenq/policy/overflow.hpp>

#include "support/tuning.hpp"

using namespace listenq;
using test::tuning;

TEST_CASE("drop, reset and evict_oldest at a full request queue") {
  CHECK(drop::on_request_full({}) == syn_answer::drop);
  CHECK(reset::on_request_full({}) == syn_answer::reset);
  CHECK(evict_oldest::on_request_full({}) == syn_answer::evict_oldest);
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

// 8 bytes a request for a list that nobody asks for, or no list where one is asked for.
TEST_CASE("only evict_oldest needs to know which request is the oldest") {
  CHECK(evicts<evict_oldest>);
  CHECK_FALSE(evicts<drop>);
  CHECK_FALSE(evicts<reset>);
}
