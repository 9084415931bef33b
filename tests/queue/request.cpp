// SPDX-License-Identifier: BSL-1.0
// queue/request.hpp: the mark of a rate-limited answer, in 16 bits of 4 ms.
#include <doctest/doctest.h>

#include <listenq/queue/request.hpp>

using namespace listenq;

namespace {

constexpr duration limit = 500 * millisecond;

}  // namespace

// A mark that is renewed by the answers it suppresses: a steady stream of SYNs would never be answered again.
TEST_CASE("one answer per 500 ms, counted from the last one that was given") {
  request<ipv4> r;
  CHECK_FALSE(r.limited(10 * second, limit));
  CHECK(r.limited(10 * second, limit));
  CHECK(r.limited(10 * second + 496 * millisecond, limit));
  CHECK_FALSE(r.limited(10 * second + 500 * millisecond, limit));
  CHECK(r.limited(10 * second + 700 * millisecond, limit));
  CHECK_FALSE(r.limited(10 * second + 1000 * millisecond, limit));
}

TEST_CASE("without a limit nothing is limited or marked") {
  request<ipv4> r;
  CHECK_FALSE(r.limited(1 * second, 0));
  CHECK_FALSE(r.limited(1 * second, 0));
  CHECK_FALSE(static_cast<bool>(r.answered));
}

// The 16 bits go round after 262.144 s; across that moment they must still count.
TEST_CASE("a mark counts across the wrap of its 16 bits") {
  const instant wrap = instant{65536} * request<ipv4>::answer_unit;
  request<ipv4> r;
  CHECK_FALSE(r.limited(wrap - 100 * millisecond, limit));
  CHECK(r.limited(wrap + 300 * millisecond, limit));
  CHECK_FALSE(r.limited(wrap + 400 * millisecond, limit));
}

// Without ageing, an answer one round later would look like "just now".
TEST_CASE("a timeout clears an old mark before the 16 bits can go round, and keeps a fresh one") {
  const instant round = instant{65536} * request<ipv4>::answer_unit;
  request<ipv4> r;
  CHECK_FALSE(r.limited(1 * second, limit));
  r.age_answer(1 * second + 200 * millisecond, limit);
  CHECK(r.limited(1 * second + 300 * millisecond, limit));
  r.age_answer(2 * second, limit);
  CHECK_FALSE(r.limited(1 * second + round, limit));
}

// Taken for no limit, it would leave no mark for the next timeout to clear.
TEST_CASE("a limit shorter than the mark's unit limits nothing, but the answer is marked") {
  request<ipv4> r;
  CHECK_FALSE(r.limited(1 * second, 1));
  CHECK(static_cast<bool>(r.answered));
  CHECK_FALSE(r.limited(1 * second, 1));
}
