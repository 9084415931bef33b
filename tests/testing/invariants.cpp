// SPDX-License-Identifier: BSL-1.0
// testing/invariants.hpp: each check can fail. A fake with the observers of a listener is whole; one thing at a time is
// broken in it, and exactly the invariant that says so is named.
#include <doctest/doctest.h>

#include <listenq/listener.hpp>
#include <listenq/testing/invariants.hpp>
#include <string>
#include <vector>

#include "fake.hpp"

using namespace listenq;
using testing::fake;
using testing::invariant;

namespace {

std::vector<invariant> broken(const fake& f, const testing::expectations& e = {}) {
  std::vector<invariant> found;
  testing::for_each_violation(
      f, [&](invariant i) { found.push_back(i); }, e);
  return found;
}
using just = std::vector<invariant>;

/// Two requests, one of them old, and two waiting connections.
fake whole() {
  fake f;
  f.add(0, 3 * second);
  f.add(1, 5 * second, 1);
  f.waiting = {fake::key(2), fake::key(3)};
  f.settle();
  return f;
}

}  // namespace

static_assert(testing::observable<fake>);
static_assert(testing::observable<listener<>>);
static_assert(testing::observable<listener<family<ipv6>, child<deferred_child>>>);
static_assert(!testing::observable<int>);

TEST_CASE("every invariant has a name, a sentence and a source of its own") {
  for (std::size_t i = 0; i < testing::invariant_count; ++i) {
    const testing::description d = testing::about(static_cast<invariant>(i));
    CHECK(std::string{d.name}.size() > 3);
    CHECK(std::string{d.sentence}.size() > 10);
    CHECK(std::string{d.source}.size() > 3);
    for (std::size_t k = 0; k < i; ++k) {
      CHECK(std::string{d.name} != testing::about(static_cast<invariant>(k)).name);
    }
  }
  CHECK(std::string{testing::about(invariant::young_recount).name} == "young_recount");
  CHECK(std::string{testing::about(invariant::cookies_add_up).name} == "cookies_add_up");
}

TEST_CASE("a whole state breaks nothing") {
  CHECK(broken(whole()).empty());
  CHECK(broken(fake{}).empty());
}

TEST_CASE("more young requests than requests") {
  fake f;
  f.young = 1;
  CHECK(broken(f) == just{invariant::young_within_size, invariant::young_recount});
}

TEST_CASE("young not decremented when a request leaves") {
  fake f = whole();
  f.young = 2;
  CHECK(broken(f) == just{invariant::young_recount});
}

TEST_CASE("a request that is counted and not there") {
  fake f = whole();
  ++f.size;
  CHECK(broken(f) == just{invariant::size_recount});
}

TEST_CASE("a request that lookup does not find") {
  fake f = whole();
  f.lost = fake::key(1);
  CHECK(broken(f) == just{invariant::every_request_findable});
}

TEST_CASE("two requests of one four-tuple") {
  fake f = whole();
  f.requests[1].key = f.requests[0].key;
  const just found = broken(f);
  // The second of them is not found either: lookup finds the first.
  CHECK(found == just{invariant::every_request_findable, invariant::one_request_a_four_tuple});
}

namespace {

/// Its requests are found as copies.
struct copying : fake {
  detail::request_copy<request_type> find_request(const key_type& k) const {
    const request_type* const r = fake::find_request(k);
    if (r == nullptr) return nullptr;
    return *r;
  }
};
std::vector<invariant> broken_by_copies(const fake& f) {
  std::vector<invariant> found;
  testing::for_each_violation(copying{f}, [&](invariant i) { found.push_back(i); });
  return found;
}

}  // namespace

// A copy that is compared with what it is a copy of: nobody is ever alone, or everybody is.
TEST_CASE("two requests of one four-tuple, and a lost one, where what is found is a copy") {
  static_assert(testing::observable<copying>);
  CHECK(broken_by_copies(whole()).empty());
  fake f = whole();
  f.requests[1] = f.requests[0];
  f.settle();
  CHECK(broken_by_copies(f) == just{invariant::one_request_a_four_tuple});
  f = whole();
  f.lost = fake::key(1);
  CHECK(broken_by_copies(f) == just{invariant::every_request_findable});
}

TEST_CASE("a four-tuple in both queues") {
  fake f = whole();
  f.waiting[1] = f.requests[0].key;
  CHECK(broken(f) == just{invariant::never_request_and_child});
}

TEST_CASE("an accept queue longer or shorter than its count") {
  fake f = whole();
  f.waiting.pop_back();
  CHECK(broken(f) == just{invariant::accept_recount});
}

TEST_CASE("more than the caller's bounds") {
  CHECK(broken(whole(), {.most_requests = 2, .most_waiting = 2}).empty());
  CHECK(broken(whole(), {.most_requests = 1}) == just{invariant::requests_within_bound});
  CHECK(broken(whole(), {.most_waiting = 1}) == just{invariant::waiting_within_bound});
}

TEST_CASE("a deadline and no request, requests and no deadline") {
  fake f;
  f.next = second;
  CHECK(broken(f) == just{invariant::deadline_iff_requests});
  f = whole();
  f.next = std::nullopt;
  CHECK(broken(f) == just{invariant::deadline_iff_requests});
}

TEST_CASE("a deadline that is not the smallest, where timers are exact") {
  fake f = whole();
  f.next = 5 * second;
  CHECK(broken(f) == just{invariant::deadline_is_least});
  CHECK(broken(f, {.exact_deadlines = false}).empty());
}

TEST_CASE("a closed listener with something to accept") {
  fake f = whole();
  f.open = false;
  CHECK(broken(f) == just{invariant::closed_has_no_children});
}

TEST_CASE("more overflows than drops") {
  fake f = whole();
  f.counted.listen_overflows = 1;
  CHECK(broken(f) == just{invariant::overflows_within_drops});
}

TEST_CASE("a bucket that says it is longer or shorter than it is") {
  fake f = whole();
  f.buckets = 2;
  f.claimed_length = 2;
  CHECK(broken(f) == just{invariant::bucket_recount});
  CHECK(broken(f, {.shares_queue = true}).empty());  // the other one can be a neighbour's
  f.claimed_length = 0;
  CHECK(broken(f) == just{invariant::bucket_recount});
  CHECK(broken(f, {.shares_queue = true}) == just{invariant::bucket_recount});
}

TEST_CASE("a bucket beyond its depth") {
  CHECK(broken(whole(), {.most_in_bucket = 2}).empty());
  CHECK(broken(whole(), {.most_in_bucket = 1}) == just{invariant::bucket_within_bound});
}

TEST_CASE("a budget that counts somebody who is gone") {
  fake f = whole();
  f.balanced = false;
  CHECK(broken(f) == just{invariant::budget_is_live_requests});
}
