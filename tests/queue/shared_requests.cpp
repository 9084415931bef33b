// SPDX-License-Identifier: BSL-1.0
// Several listeners over one pool of requests: what is shared, and what is not.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/listenq.hpp>

using namespace listenq;

namespace {

using pool = shared_requests<>;
using evicting = listener<requests<borrowed<pool>>, request_full<evict_oldest>, sizing<pipeline<exactly<100>>>>;
using slow = listener<requests<borrowed<pool>>, schedule<from_3s>>;

constexpr segment syn(std::uint16_t from, std::uint16_t to) {
  return {.source = {ip(1, 1, 1, 1), from}, .destination = {ip(2, 2, 2, 2), to}, .seq = 7, .flags = flag::syn};
}

}  // namespace

// Would catch a limit that each listener counts for itself: the pool's room would be handed out twice.
TEST_CASE("a pool that is full is full for every listener") {
  pool p(2);
  evicting a{borrowed<pool>{&p}};
  slow b{borrowed<pool>{&p}};
  REQUIRE(a.listen(8));
  REQUIRE(b.listen(8));
  CHECK(a.receive(syn(1, 80), 0).outcome.verdict == verdict::admitted);
  CHECK(a.receive(syn(2, 80), 0).outcome.verdict == verdict::admitted);
  CHECK(b.receive(syn(1, 81), 0).outcome.verdict == verdict::dropped_request_full);
  CHECK(p.size() == 2);
  CHECK(b.request_count() == 0);
}

// Would catch a lookup that forgets the owner: two listeners on one address would finish each other's handshakes.
TEST_CASE("the same four-tuple at two listeners is two requests") {
  pool p(8);
  slow a{borrowed<pool>{&p}, siphash<2, 4>{{1, 2}}};
  slow b{borrowed<pool>{&p}, siphash<2, 4>{{1, 2}}};
  a.listen(8);
  b.listen(8);
  CHECK(a.receive(syn(1, 80), 0).outcome.verdict == verdict::admitted);
  CHECK(b.receive(syn(1, 80), 0).outcome.verdict == verdict::admitted);
  CHECK(a.receive(syn(1, 80), second).outcome.verdict == verdict::duplicate_syn);
  CHECK(p.size() == 2);
}

// Would catch an eviction that leaves the neighbour's counts or timers behind.
TEST_CASE("a listener that evicts takes the oldest of all, and its owner's counts and timer go with it") {
  pool p(2);
  slow b{borrowed<pool>{&p}};
  evicting a{borrowed<pool>{&p}};
  b.listen(8);
  a.listen(8);
  b.receive(syn(1, 81), 0);
  a.receive(syn(1, 80), 1);
  REQUIRE(b.next_deadline() == 3 * second);
  const auto step = a.receive(syn(2, 80), 2);
  CHECK(step.outcome.verdict == verdict::admitted);
  CHECK(step.outcome.stages.has(stage::evicted));
  CHECK(b.request_count() == 0);
  CHECK(b.young_count() == 0);
  CHECK_FALSE(b.next_deadline().has_value());
  CHECK(a.request_count() == 2);
}

// Would catch timers that fire for whoever ticks first: the neighbour's schedule and counters would be used.
TEST_CASE("each listener ages its own requests on its own schedule") {
  pool p(8);
  slow b{borrowed<pool>{&p}};
  evicting a{borrowed<pool>{&p}};
  b.listen(8);
  a.listen(8);
  b.receive(syn(1, 81), 0);
  a.receive(syn(1, 80), 0);
  null_sink out;
  CHECK(a.tick(2 * second, out).timers == 1);
  CHECK(a.young_count() == 0);
  CHECK(b.young_count() == 1);
  CHECK(b.tick(2 * second, out).timers == 0);
  CHECK(b.tick(3 * second, out).timers == 1);
}

// Would catch room that is never given back when a listener goes away.
TEST_CASE("a listener that ends gives its room and its place back") {
  shared_requests<ipv4, 1> p(1);
  using only = listener<requests<borrowed<shared_requests<ipv4, 1>>>>;
  {
    only a{borrowed<shared_requests<ipv4, 1>>{&p}};
    REQUIRE(a.listen(4));
    a.receive(syn(1, 80), 0);
    only second_one{borrowed<shared_requests<ipv4, 1>>{&p}};
    CHECK(second_one.listen(4).status == listen_status::storage_too_small);
  }
  CHECK(p.size() == 0);
  only b{borrowed<shared_requests<ipv4, 1>>{&p}};
  CHECK(b.listen(4));
  CHECK(b.receive(syn(1, 80), 0).outcome.verdict == verdict::admitted);
}

// Would catch a null pool that is followed.
TEST_CASE("without a pool listen() fails by name") {
  slow b;
  const listen_result r = b.listen(4);
  CHECK(r.status == listen_status::storage_too_small);
  CHECK(r.have == 0);
  CHECK(b.accept().status == accept_status::not_listening);
}
