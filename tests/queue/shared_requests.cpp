// SPDX-License-Identifier: BSL-1.0
// Several listeners over one pool of requests: what is shared, and what is not.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <listenq/listenq.hpp>
#include <listenq/testing/ledger.hpp>
#include <random>
#include <string>
#include <vector>

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

// A look-up that is content with the hash: a pool is asked for one of several who share all of it.
TEST_CASE("two of one listener's requests with one hash are told apart") {
  struct one_hash {
    static constexpr std::uint64_t hash(const std::uint32_t*, std::size_t) noexcept { return 0xabcdef0123456789; }
  };
  pool p(8);
  listener<requests<borrowed<pool>>, hashing<one_hash>> l{borrowed<pool>{&p}};
  REQUIRE(l.listen(8));
  for (std::uint16_t port = 1; port <= 3; ++port) {
    CHECK(l.receive(syn(port, 80), 0).outcome.verdict == verdict::admitted);
  }
  for (std::uint16_t port = 1; port <= 3; ++port) {
    const auto key = four_tuple_of(syn(port, 80));
    REQUIRE(l.find_request(key) != nullptr);
    CHECK(l.find_request(key)->key == key);
  }
  CHECK(l.find_request(four_tuple_of(syn(4, 80))) == nullptr);
  CHECK(l.receive(syn(2, 80), second).outcome.verdict == verdict::duplicate_syn);
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

// An empty queue of one's own taken for an empty pool: the neighbours would keep a newcomer out for ever.
TEST_CASE("who has no request of its own evicts a neighbour's, too") {
  pool p(2);
  slow b{borrowed<pool>{&p}};
  evicting a{borrowed<pool>{&p}};
  b.listen(8);
  a.listen(8);
  b.receive(syn(1, 81), 0);
  b.receive(syn(2, 81), 1);
  CHECK(a.receive(syn(1, 80), 2).outcome.verdict == verdict::admitted);
  CHECK(b.request_count() == 1);
  CHECK(b.lost_to_neighbours() == 1);
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
  const four_tuple nobody{ip(1, 1, 1, 1), ip(2, 2, 2, 2), 1, 80};
  CHECK(b.find_request(nobody) == nullptr);
  CHECK(b.unreachable(nobody, 0, 0) == icmp_verdict::no_request);
  CHECK(b.receive(syn(1, 80), 0).outcome.verdict == verdict::not_listening);
  null_sink out;
  CHECK(b.tick(1 * second, out).timers == 0);
}

// A pool that got no memory looks like one; the first SYN would be written nowhere.
TEST_CASE("with a pool that has no room listen() fails by name") {
  pool p(0);
  slow a{borrowed<pool>{&p}};
  const listen_result r = a.listen(4);
  CHECK(r.status == listen_status::storage_too_small);
  CHECK(r.have == 0);
  CHECK_FALSE(a.listening());
}

// Timers in the list of another timeout's length: with a queue of its own the listener would evict somebody else.
TEST_CASE("over a pool, too, the most retried is the first due of those with the longest timeout") {
  using times = listed<1 * second, 2 * second, 2 * second>;
  using retried = listener<request_full<evict_most_retried>, sizing<pipeline<exactly<4>>>, schedule<times>,
                           deferral<await_data>, pressure<no_pressure>>;
  using retried_over_pool = listener<request_full<evict_most_retried>, sizing<pipeline<exactly<4>>>, schedule<times>,
                                     deferral<await_data>, pressure<no_pressure>, requests<borrowed<pool>>>;
  const auto victim = [](auto& l, instant second_comes) {
    null_sink out;
    l.listen(8);
    const auto from = [](std::uint16_t port) { return four_tuple{ip(1, 1, 1, 1), ip(2, 2, 2, 2), port, 80}; };
    // Whose final ACK has come is not sent anything again and does not expire: it is retried as often as it likes.
    const auto request_at = [&](std::uint16_t port, instant now) {
      const auto iss = l.receive(syn(port, 80), now).reply->seq;
      segment ack = syn(port, 80);
      ack.flags = flag::ack, ack.seq = 8, ack.ack = iss + 1;
      l.receive(ack, now);
    };
    auto run_to = [&, now = instant{0}](instant until) mutable {
      for (; now <= until; now += second / 10) l.tick(now, out);
    };
    request_at(1, 0);
    run_to(second_comes);
    request_at(2, second_comes);
    run_to(13 * second + second / 2);
    request_at(3, 13 * second + second / 2), request_at(4, 13 * second + second / 2);  // due at 14.5 s, but young
    run_to(14 * second);
    l.receive(syn(5, 80), 14 * second);
    for (std::uint16_t port = 1; port <= 4; ++port) {
      if (l.find_request(from(port)) == nullptr) return int{port};
    }
    return 0;
  };
  struct row {
    instant second_comes;
    int gone;
  };
  // The first is due at 15 s, the second 5 s after it came: then both have the longest timeout, however often.
  for (const row& r : {row{9 * second + second / 2, 2}, row{10 * second + second / 2, 1}, row{12 * second, 1}}) {
    CAPTURE(r.second_comes);
    pool p(100);
    retried own;
    retried_over_pool over{borrowed<pool>{&p}};
    CHECK(victim(own, r.second_comes) == r.gone);
    CHECK(victim(over, r.second_comes) == r.gone);
  }
}

// The oldest of all is a neighbour's, and that would let a listener with a small limit live off a large one's room.
TEST_CASE("a listener that has reached its own limit evicts its own") {
  using small = listener<requests<borrowed<pool>>, request_full<evict_oldest>, sizing<pipeline<exactly<2>>>>;
  using small_random = listener<requests<borrowed<pool>>, request_full<evict_random>, sizing<pipeline<exactly<2>>>>;
  pool p(100);
  slow neighbour{borrowed<pool>{&p}};
  small a{borrowed<pool>{&p}};
  small_random b{borrowed<pool>{&p}};
  neighbour.listen(50);
  a.listen(8);
  b.listen(8);
  for (std::uint16_t i = 0; i < 30; ++i) neighbour.receive(syn(i, 81), 0);
  for (std::uint16_t i = 0; i < 50; ++i) {
    CHECK(a.receive(syn(i, 80), 1).outcome.verdict == verdict::admitted);
    CHECK(b.receive(syn(i, 82), 1).outcome.verdict == verdict::admitted);
  }
  CHECK(neighbour.request_count() == 30);
  CHECK(neighbour.lost_to_neighbours() == 0);
  CHECK(a.lost_to_neighbours() == 0);
  CHECK(b.lost_to_neighbours() == 0);
  CHECK(a.request_count() == 2);
  CHECK(b.request_count() == 2);
  CHECK(a.find_request({ip(1, 1, 1, 1), ip(2, 2, 2, 2), 48, 80}) != nullptr);
}

namespace {

// One syncache for two listeners of different type, small enough for both to be in each other's way.
using cache = syncache<3, 4, 9>;
using cache_pool = shared_requests<ipv4, 2, tie_order::oldest_first, at_listen, cache>;
template <class Full, class... More>
using sharing =
    listener<requests<borrowed<cache_pool>>, sizing<cache>, request_full<Full>,
             admission<in_order<gates::known_request, gates::budget, gates::strict_request_queue, gates::accept_queue>>,
             budget<per_prefix<32, 128, exactly<5>, 16, 2>>, More...>;
using netbsd_like = sharing<evict_from_here_on>;
using freebsd_like = sharing<evict_in_bucket, schedule<from_3s>, accept_full_at_ack<listenq::reset>>;

struct remembering {
  std::vector<segment> sent{};
  send_result send(const segment& s) {
    sent.push_back(s);
    return send_result::sent;
  }
  void reset_child(const four_tuple&) {}
};

template <class L>
struct booked {
  L l;
  testing::ledger<L> ledger;
  std::uint16_t port;
  std::vector<std::string> broken{};

  booked(cache_pool& p, std::uint16_t port_number, testing::victims victims)
      : l{borrowed<cache_pool>{&p}, siphash<2, 4>{{3, 4}}},
        ledger{l, {.most_in_bucket = 4, .buckets = 3, .evicted = victims, .shares_queue = true}},
        port{port_number} {
    REQUIRE(l.listen(3));
    ledger = testing::ledger<L>{l, {.most_in_bucket = 4, .buckets = 3, .evicted = victims, .shares_queue = true}};
  }
  auto note() {
    return [this](testing::invariant i) { broken.emplace_back(testing::about(i).name); };
  }
  void event(std::mt19937& random, instant now) {
    remembering out;
    const auto peer = static_cast<std::uint16_t>(random() % 20);
    segment s = syn(peer, port);
    s.source.address = ip(1, 1, 1, static_cast<std::uint8_t>(peer % 4));
    const auto* const r = l.find_request(four_tuple_of(s));
    switch (random() % 8) {
      case 0: {
        const tick_summary t = l.tick(now, out);
        return ledger.ticked(l, now, t, out.sent, note());
      }
      case 1: {
        const auto a = l.accept(now);
        return ledger.accepted(l, a.status, a.handle, note());
      }
      case 2:
        s.flags = flag::rst;
        s.seq = 8;
        break;
      case 3:
        if (r == nullptr) break;
        s.flags = flag::ack;
        s.seq = 8;
        s.ack = r->iss + 1;
        break;
      default:
        break;
    }
    bool is_child = false;
    l.for_each_waiting([&](const four_tuple& h) { is_child = is_child || h == four_tuple_of(s); });
    if (is_child) return;
    const outcome o = l.receive(s, now, out);
    ledger.received(l, s, {}, o, out.sent, note());
  }
};

}  // namespace

// What one evicts, the other must lose: count, timer, bucket, budget, books. Nothing else may change for it.
TEST_CASE("two listeners over one syncache keep each other's books whole") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    cache_pool p;
    CHECK(p.capacity() == 9);
    booked<netbsd_like> a{p, 80, testing::victims::oldest_from_here_on};
    booked<freebsd_like> b{p, 81, testing::victims::oldest_in_bucket};
    std::mt19937 random{seed};
    instant now = 0;
    for (int i = 0; i < 600; ++i) {
      now += static_cast<instant>(random() % 400) * millisecond;
      if (random() % 2 == 0) {
        a.event(random, now);
        b.ledger.robbed(b.l, b.note());
      } else {
        b.event(random, now);
        a.ledger.robbed(a.l, a.note());
      }
      CHECK(p.size() == a.l.request_count() + b.l.request_count());
      CHECK(p.size() <= 9);
    }
    CHECK(a.broken == std::vector<std::string>{});
    CHECK(b.broken == std::vector<std::string>{});
    CHECK(a.l.lost_to_neighbours() > 0);
    CHECK(b.l.lost_to_neighbours() > 0);
  }
}

// A timer that is not taken out of its list and put back where its new deadline belongs fires at the wrong time, or for
// ever.
TEST_CASE("over a pool, too, SYN-ACKs go out at 0, 1, 3, 7, 15, 31 s, and at 63 s the request is gone") {
  pool p(8);
  evicting a{borrowed<pool>{&p}};
  slow b{borrowed<pool>{&p}};
  a.listen(8), b.listen(8);
  std::vector<instant> sent;
  struct {
    std::vector<instant>* sent;
    instant now = 0;
    send_result send(const segment&) {
      sent->push_back(now / second);
      return send_result::sent;
    }
  } out{&sent};
  a.receive(syn(1, 80), 0, out);
  b.receive(syn(2, 81), 0, out);
  CHECK(a.young_count() == 1);
  for (instant now = 0; now <= 70 * second; now += second) {
    out.now = now;
    a.tick(now, out);
    if (now == second) CHECK(a.young_count() == 0);
    if (now == second) CHECK(a.next_deadline() == 3 * second);
    if (now == 2 * second) CHECK(b.young_count() == 1);
  }
  CHECK(sent == std::vector<instant>{0, 0, 1, 3, 7, 15, 31});
  CHECK(a.request_count() == 0);
  CHECK(b.request_count() == 1);
  CHECK(b.next_deadline() == 3 * second);
}

TEST_CASE(
    "over a pool, too, a duplicate SYN that is answered moves the deadline, and the count of timeouts ends at 255") {
  using linux_like = listener<requests<borrowed<pool>>, schedule<doubling<1 * second, 1000, 1 * second>>,
                              sizing<pipeline<exactly<100>>>>;
  pool p(8);
  linux_like a{borrowed<pool>{&p}};
  a.listen(8);
  a.receive(syn(1, 80), 0);
  a.receive(syn(2, 80), 0);
  CHECK(a.receive(syn(1, 80), 600 * millisecond).outcome.verdict == verdict::duplicate_syn);
  const auto of = [&a](std::uint16_t from) { return *a.find_request(four_tuple_of(syn(from, 80))); };
  CHECK(of(1).deadline == 1600 * millisecond);
  CHECK(a.next_deadline() == 1 * second);
  struct {
    send_result send(const segment&) { return send_result::sent; }
  } out;
  for (int i = 1; i <= 300; ++i) a.tick(i * second + 999 * millisecond, out);
  CHECK(of(2).timeouts == 255);
  CHECK(a.young_count() == 0);
  CHECK(a.request_count() == 2);
}

// Only the deadline goes back: the request would go on as an old one, and its next SYN-ACK would come too late.
TEST_CASE("over a pool, too, a duplicate SYN begins the schedule anew where the rules say so") {
  using bsd = listener<requests<borrowed<pool>>, validation<freebsd_validation>, sizing<pipeline<exactly<100>>>>;
  pool p(8);
  bsd a{borrowed<pool>{&p}};
  REQUIRE(a.listen(8));
  null_sink out;
  a.receive(syn(1, 80), 0);
  a.receive(syn(2, 80), 0);
  a.tick(1 * second, out);
  REQUIRE(a.young_count() == 0);
  REQUIRE(a.next_deadline() == 3 * second);
  for (const instant now : {1500 * millisecond, 1600 * millisecond}) {  // while it is young, too
    CHECK(a.receive(syn(1, 80), now).outcome.verdict == verdict::duplicate_syn);
    CHECK(a.young_count() == 1);
    CHECK(a.find_request(four_tuple_of(syn(1, 80)))->timeouts == 0);
    CHECK(a.next_deadline() == now + 1 * second);
  }
  CHECK(a.tick(2600 * millisecond, out).timers == 1);
  CHECK(a.young_count() == 0);
  CHECK(a.next_deadline() == 3 * second);
}

// --- one listener's view, without the listener ----------------------------------------------------------------------

namespace {

template <class Pool>
using view = borrowed_requests<Pool, exact<>, 3>;

request<ipv4> made(std::uint16_t from, instant deadline, std::uint8_t timeouts = 0) {
  request<ipv4> r;
  r.key = four_tuple_of(syn(from, 80));
  r.deadline = deadline;
  r.timeouts = timeouts;
  return r;
}

}  // namespace

// A pointer to no pool that is followed.
TEST_CASE("a view that has joined no pool has nothing") {
  view<pool> q;
  q.attach(nullptr);
  CHECK(q.capacity() == 0);
  CHECK(q.size() == 0);
  CHECK(q.young() == 0);
  CHECK(q.lost() == 0);
  CHECK(q.first_due() == view<pool>::npos);
  CHECK(q.next_stored() == view<pool>::npos);
}

// Each listen() would take another place of the pool, and leave the requests at the last one.
TEST_CASE("a view joins one pool, and takes one place in it") {
  using two = shared_requests<ipv4, 2>;
  two p(4);
  two other(4);
  view<two> a, b, c;
  a.attach(&p);
  REQUIRE(a.insert(made(1, 10), 1) != view<two>::npos);
  a.attach(&p);
  a.attach(&other);
  CHECK(a.size() == 1);
  CHECK(a.find(made(1, 0).key, 1) != view<two>::npos);
  CHECK(other.size() == 0);
  b.attach(&p);
  CHECK(b.capacity() == 4);
  c.attach(&p);
  CHECK(c.capacity() == 0);
}

// What is handed over comes as a copy: it must be the same request, of the same age, and go as such.
TEST_CASE("over a pool, too, a copy is found and as old as it was; a full pool takes none") {
  pool p(3);
  view<pool> q;
  q.attach(&p);
  const auto old = q.insert(made(1, 10, 2), 1);
  REQUIRE(old != view<pool>::npos);
  CHECK(q.young() == 0);
  CHECK(q.find(made(1, 0).key, 1) == old);
  CHECK(q[old].deadline == 10);
  CHECK(q[old].timeouts == 2);
  q.insert(made(2, 20), 2);
  q.insert(made(3, 30), 3);
  CHECK(q.young() == 2);
  CHECK(q.insert(made(4, 40), 4) == view<pool>::npos);
  CHECK(q.size() == 3);
  CHECK(p.size() == 3);
  q.remove(old, 1);
  CHECK(q.young() == 2);
  CHECK(q.first_due() == q.find(made(2, 0).key, 2));
}

// An old timer left behind would fire for whoever gets the cell next.
TEST_CASE("over a pool, too, to start over is to be young, with one timer, at the new deadline") {
  for (const std::uint8_t timeouts : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{2}}) {
    CAPTURE(timeouts);
    pool p(3);
    view<pool> q;
    q.attach(&p);
    const auto i = q.insert(made(1, 10, timeouts), 1);
    const auto other = q.insert(made(2, 40), 2);
    q.start_over(i, 50);
    CHECK(q[i].timeouts == 0);
    CHECK(q[i].deadline == 50);
    CHECK(q.young() == 2);
    CHECK(q.first_due() == other);
    CHECK(q.most_retried() == other);
    q.remove(other, 2);
    CHECK(q.first_due() == i);
    CHECK(q.most_retried() == i);
    q.remove(i, 1);
    CHECK(q.first_due() == view<pool>::npos);
    CHECK(q.most_retried() == view<pool>::npos);
    CHECK(q.young() == 0);
  }
}

// Two lengths in one list: the one that is due first would be taken for the one that was retried most.
TEST_CASE("over a pool, too, the longest two timeouts have a list each") {
  pool p(3);
  view<pool> q;
  q.attach(&p);
  q.insert(made(1, 10, 1), 1);
  const auto most = q.insert(made(2, 20, 2), 2);
  CHECK(q.most_retried() == most);
}

// The bucket alone would let a pool that is smaller than its syncache overflow; the pool alone would let a bucket.
TEST_CASE("over a syncache, a newcomer has no room if its bucket is full, or the pool") {
  cache_pool whole;
  view<cache_pool> q;
  q.attach(&whole);
  for (std::uint16_t n = 0; n < 4; ++n) {
    CHECK_FALSE(q.full(100, 0));
    q.insert(made(n, 10), n * 3U);  // all in bucket 0
  }
  CHECK(q.full(100, 0));
  CHECK_FALSE(q.full(100, 1));
  cache_pool small(3);
  view<cache_pool> r;
  r.attach(&small);
  for (std::uint16_t n = 0; n < 3; ++n) {
    CHECK_FALSE(r.full(100, 0));
    r.insert(made(n, 10), n);  // a bucket each
  }
  CHECK(r.full(100, 0));
}

// A walk past the newest, and a listener with room under its limit that spares its neighbours.
TEST_CASE("whom a view can evict: of its own at its own limit, if there is one, and else of all") {
  pool p(4);
  view<pool> neighbour, q;
  neighbour.attach(&p);
  q.attach(&p);
  const auto draw = [] { return 0U; };
  CHECK(q.oldest(0) == view<pool>::npos);
  const auto theirs = neighbour.insert(made(1, 10), 1);
  CHECK(q.oldest(1) == theirs);
  CHECK(q.oldest(0) == view<pool>::npos);
  CHECK(q.random(draw, 1) == theirs);
  CHECK(q.random(draw, 0) == view<pool>::npos);
  const auto own = q.insert(made(2, 10), 2);
  CHECK(q.oldest(1) == own);
  CHECK(q.oldest(2) == theirs);
  CHECK(q.random(draw, 1) == own);
  CHECK(q.random(draw, 2) == theirs);
}

// A neighbour that left no hook: a call to nowhere.
TEST_CASE("a neighbour without a hook loses its request silently") {
  pool p(2);
  view<pool> neighbour, q;
  neighbour.attach(&p);
  q.attach(&p);
  const auto theirs = neighbour.insert(made(1, 10, 1), 1);
  q.insert(made(2, 10), 2);
  q.evict_of_neighbour(theirs);
  CHECK(neighbour.lost() == 1);
  CHECK(neighbour.size() == 0);
  CHECK(q.lost() == 0);
  CHECK(q.size() == 1);
}
