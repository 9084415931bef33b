// SPDX-License-Identifier: BSL-1.0
// policy/eviction.hpp: what each model answers. Whom the answer takes, tests/eviction.cpp says.
#include <doctest/doctest.h>

#include <listenq/policy/eviction.hpp>

using namespace listenq;

namespace {

template <class P>
bool always_answers(syn_answer a) {
  return P::on_request_full({}) == a && P::on_accept_full({}) == a && evictions_of<P> == syn_answers{a};
}

}  // namespace

// Two models that answer the same, or an answer that the queue was not told to be ready for.
TEST_CASE("each model answers its own eviction, and names it") {
  CHECK(always_answers<evict_oldest>(syn_answer::evict_oldest));
  CHECK(always_answers<evict_random>(syn_answer::evict_random));
  CHECK(always_answers<evict_most_retried>(syn_answer::evict_most_retried));
  CHECK(always_answers<evict_in_bucket>(syn_answer::evict_in_bucket));
  CHECK(always_answers<evict_from_here_on>(syn_answer::evict_from_here_on));
}

// Onload evicts only where the accept queue is full, too, and resets those alone that believe they are connected.
TEST_CASE("drop_and_evict_if_both_full drops in any case") {
  using p = drop_and_evict_if_both_full;
  CHECK(p::on_request_full({.accept_full = false}) == syn_answer::drop);
  CHECK(p::on_request_full({.accept_full = true}) == syn_answer::drop_and_evict_most_retried);
  CHECK(evictions_of<p> == syn_answers{syn_answer::drop_and_evict_most_retried});
  CHECK(p::tells(true));
  CHECK_FALSE(p::tells(false));
}

TEST_CASE("told<P> answers as P and tells everybody") {
  using p = told<evict_random>;
  CHECK(p::on_request_full({}) == syn_answer::evict_random);
  CHECK(evictions_of<p> == evictions_of<evict_random>);
  CHECK(p::tells(false));
  CHECK(p::tells(true));
}

// XNU's tcp_dropdropablreq: ++cur_cnt > qlen || old_cnt > qlen, old_cnt the mean of the seconds since the last refusal.
TEST_CASE("evict_oldest_or_random turns random when refusals outrun the queue, and back when they abate") {
  evict_oldest_or_random p;
  const auto refuse = [&p](instant now) { return p.on_accept_full({.lengths = {0, 3}, .now = now}); };
  for (int i = 0; i < 3; ++i) CHECK(refuse(10 * second + i) == syn_answer::evict_oldest);
  CHECK(refuse(10 * second + 3) == syn_answer::evict_random_or_none);
  CHECK(refuse(10 * second + 4) == syn_answer::evict_random_or_none);
  CHECK(refuse(11 * second) == syn_answer::evict_random_or_none);  // 5 in the last second
  CHECK(refuse(12 * second) == syn_answer::evict_oldest);          // 1 in the last second
  for (int i = 0; i < 2; ++i) CHECK(refuse(12 * second + i) == syn_answer::evict_oldest);
  for (int i = 0; i < 9; ++i) CHECK(refuse(12 * second + 10 + i) == syn_answer::evict_random_or_none);
  CHECK(refuse(16 * second) == syn_answer::evict_oldest);  // 12 in four seconds are three a second, not more than 3
  CHECK(p.on_request_full({.lengths = {0, 1}, .now = 16 * second}) == syn_answer::evict_random_or_none);
}

// A listener that is born with a refusal to its name.
TEST_CASE("evict_oldest_or_random: the first second of time counts its own refusals and no others") {
  evict_oldest_or_random p;
  const auto refuse = [&p](instant now) { return p.on_request_full({.lengths = {0, 2}, .now = now}); };
  CHECK(refuse(0) == syn_answer::evict_oldest);
  CHECK(refuse(1) == syn_answer::evict_oldest);
  CHECK(refuse(2) == syn_answer::evict_random_or_none);
  CHECK(refuse(second) == syn_answer::evict_random_or_none);  // 3 in the first second
  CHECK(refuse(2 * second) == syn_answer::evict_oldest);      // 1 in the next
}
