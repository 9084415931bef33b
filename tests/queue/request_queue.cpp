// SPDX-License-Identifier: BSL-1.0
// queue/request_queue.hpp: the invariants of its essay, against a naive model.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <listenq/queue/compact_requests.hpp>
#include <listenq/queue/request_queue.hpp>
#include <random>
#include <vector>

using namespace listenq;

namespace {

constexpr std::size_t classes = 4;
template <class Clockwork, class Order>
using queue = request_queue<ipv4, Clockwork, classes, Order, at_listen>;
using timed = queue<exact<>, detail::one_line>;
using swept = queue<sweep<>, detail::no_order>;
template <class Clockwork, class Order>
using compact_queue = request_queue<ipv4, Clockwork, classes, Order, at_listen, detail::compact_layout<ipv4>>;

four_tuple key(std::uint32_t n) { return {ip(10, 0, 0, 2), ip(10, 0, 0, 1), static_cast<std::uint16_t>(n), 20000}; }
// A hash with few values, so that chains are long.
std::uint32_t hash(const four_tuple& k) { return k.peer_port * 7U % 5U; }

request<ipv4> make(std::uint32_t n, instant deadline = 1000) {
  request<ipv4> r;
  r.key = key(n);
  r.irs = n;
  r.deadline = deadline;
  return r;
}

template <class Queue>
struct filled {
  at_listen source{};
  Queue q{};
  explicit filled(std::uint32_t capacity) { REQUIRE(q.reserve(capacity, source)); }
  std::uint32_t insert(std::uint32_t n, instant deadline = 1000) { return q.insert(make(n, deadline), hash(key(n))); }
  std::uint32_t find(std::uint32_t n) const { return q.find(key(n), hash(key(n))); }
  void remove(std::uint32_t n) { q.remove(find(n), hash(key(n))); }
  std::vector<std::uint32_t> bucket(std::uint32_t b) const {
    std::vector<std::uint32_t> ports;
    for (auto i = q.bucket_front(b); i != Queue::npos; i = q.bucket_next(i)) ports.push_back(q[i].key.peer_port);
    return ports;
  }
};

}  // namespace

// A lookup that stops at the first of a chain, or compares a part of the key.
TEST_CASE("what is inserted is found, and nothing else") {
  filled<timed> f{8};
  CHECK(f.find(1) == timed::npos);
  for (std::uint32_t n = 1; n <= 8; ++n) CHECK(f.insert(n) != timed::npos);
  for (std::uint32_t n = 1; n <= 8; ++n) {
    REQUIRE(f.find(n) != timed::npos);
    CHECK(f.q[f.find(n)].irs == n);
  }
  CHECK(f.find(9) == timed::npos);
  CHECK(f.q.size() == 8);
  four_tuple other = key(1);
  other.local_port = 1;
  CHECK(f.q.find(other, hash(key(1))) == timed::npos);
  other = key(1);
  other.local_address = ip(10, 0, 0, 9);
  CHECK(f.q.find(other, hash(key(1))) == timed::npos);
}

TEST_CASE("an empty queue without memory can be asked") {
  const timed q;
  CHECK(q.find(key(1), 0) == timed::npos);
  CHECK(q.first_due() == timed::npos);
  CHECK(q.oldest() == timed::npos);
  CHECK(q.next_stored() == timed::npos);
  CHECK(q.size() == 0);
}

// One too many writes past the storage.
TEST_CASE("a full queue takes nobody; a removed request's place is used again") {
  filled<timed> f{3};
  for (std::uint32_t n = 1; n <= 3; ++n) f.insert(n);
  CHECK(f.insert(4) == timed::npos);
  CHECK(f.q.size() == 3);
  f.remove(2);
  CHECK(f.q.size() == 2);
  CHECK(f.insert(4) != timed::npos);
  CHECK(f.insert(5) == timed::npos);
  CHECK(f.find(2) == timed::npos);
  for (const std::uint32_t n : {1U, 3U, 4U}) CHECK(f.find(n) != timed::npos);
}

// Head, middle and tail of a chain: all 40 are in five chains.
TEST_CASE("any request of a chain can go without the others") {
  for (std::uint32_t gone = 1; gone <= 40; ++gone) {
    filled<timed> f{40};
    for (std::uint32_t n = 1; n <= 40; ++n) f.insert(n);
    f.remove(gone);
    for (std::uint32_t n = 1; n <= 40; ++n) CHECK((f.find(n) == timed::npos) == (n == gone));
  }
}

// Users of an index are timers and the hand: it must mean the same request until that one goes.
TEST_CASE("an index stays valid whatever else comes and goes") {
  filled<timed> f{16};
  const std::uint32_t kept = f.insert(1);
  for (std::uint32_t n = 2; n <= 16; ++n) f.insert(n);
  for (std::uint32_t n = 2; n <= 16; n += 2) f.remove(n);
  for (std::uint32_t n = 20; n <= 24; ++n) f.insert(n);
  CHECK(f.q[kept].irs == 1);
  CHECK(f.find(1) == kept);
}

// kernels.md 6, invariants 2 and 25.
TEST_CASE("young counts the requests that never timed out") {
  filled<timed> f{4};
  const auto a = f.insert(1);
  f.insert(2);
  CHECK(f.q.young() == 2);
  f.q.time_out(a, 2000);
  CHECK(f.q.young() == 1);
  f.q.time_out(a, 3000);  // only once
  CHECK(f.q.young() == 1);
  f.remove(1);  // an old one goes: the young stay as many
  CHECK(f.q.young() == 1);
  f.remove(2);
  CHECK(f.q.young() == 0);
  CHECK(f.q.size() == 0);
}

// Quirk 17: the kernel's 7-bit count wraps, and a request becomes young again.
TEST_CASE("the count of timeouts stays at 255 and never makes anybody young again") {
  filled<timed> f{2};
  const auto i = f.insert(1);
  for (instant t = 1; t <= 600; ++t) f.q.time_out(i, 1000 + t);
  CHECK(f.q[i].timeouts == 255);
  CHECK(f.q.young() == 0);
  CHECK(f.q.first_due() == i);
  f.remove(1);
  CHECK(f.q.young() == 0);
  CHECK(f.q.first_due() == timed::npos);
}

TEST_CASE("first_due is the earliest deadline, through restarts and timeouts") {
  filled<timed> f{4};
  const auto a = f.insert(1, 100);
  const auto b = f.insert(2, 200);
  CHECK(f.q.first_due() == a);
  f.q.restart(a, 300);
  CHECK(f.q.first_due() == b);
  CHECK(f.q[a].timeouts == 0);
  f.q.time_out(b, 400);
  CHECK(f.q.first_due() == a);
  CHECK(f.q[b].deadline == 400);
  CHECK(f.q[b].timeouts == 1);
  f.remove(1);
  CHECK(f.q.first_due() == b);
}

// More lengths of timeout than lists: the last list takes the rest.
TEST_CASE("requests with many timeouts share the last list") {
  filled<timed> f{3};
  const auto a = f.insert(1, 10);
  const auto b = f.insert(2, 11);
  for (int n = 1; n <= 9; ++n) {
    f.q.time_out(a, 10 + 10 * n);
    f.q.time_out(b, 11 + 10 * n);
    CHECK(f.q.first_due() == a);
  }
  f.remove(1);
  CHECK(f.q.first_due() == b);
  f.remove(2);
  CHECK(f.q.first_due() == timed::npos);
}

// What evict_oldest takes: the first stored, not the first due nor the lowest index.
TEST_CASE("oldest is the request that was stored first") {
  filled<timed> f{4};
  const auto a = f.insert(1, 900);
  const auto b = f.insert(2, 100);
  CHECK(f.q.oldest() == a);
  f.q.time_out(a, 5000);
  f.q.restart(a, 6000);
  CHECK(f.q.oldest() == a);
  f.remove(1);
  CHECK(f.q.oldest() == b);
  const auto c = f.insert(3);  // takes a's place, and is the youngest
  CHECK(f.q.oldest() == b);
  f.insert(4);
  f.remove(2);
  CHECK(f.q.oldest() == c);
  f.remove(4);
  CHECK(f.q.oldest() == c);
  f.remove(3);
  CHECK(f.q.oldest() == timed::npos);
}

// A list that is not the last, or its tail: somebody young would go.
TEST_CASE("most_retried is the first due of those with the longest timeout") {
  filled<timed> f{8};
  CHECK(f.q.most_retried() == timed::npos);
  const auto a = f.insert(1, 100);
  const auto b = f.insert(2, 101);
  const auto c = f.insert(3, 102);
  CHECK(f.q.most_retried() == a);
  f.q.time_out(c, 500);
  CHECK(f.q.most_retried() == c);
  f.q.time_out(b, 501);
  CHECK(f.q.most_retried() == c);
  f.q.time_out(b, 400);
  CHECK(f.q.most_retried() == b);
  f.remove(2), f.remove(3);
  CHECK(f.q.most_retried() == a);
}

// A dead cell, one beyond the used ones, or the same one each time.
TEST_CASE("random takes any stored request, each as often as the others") {
  filled<swept> f{10};
  std::uint32_t drawn = 0;
  const auto draw = [&drawn] { return drawn += 0x9e3779b9U; };
  CHECK(f.q.random(draw) == swept::npos);
  for (std::uint32_t n = 1; n <= 10; ++n) f.insert(n);
  for (const std::uint32_t n : {1U, 4U, 10U}) f.remove(n);
  int hits[11]{};
  for (int i = 0; i < 7000; ++i) {
    const auto picked = f.q.random(draw);
    REQUIRE(picked != swept::npos);
    ++hits[f.q[picked].irs];
  }
  for (const int n : {2, 3, 5, 6, 7, 8, 9}) {
    CAPTURE(n);
    CHECK(hits[n] > 850);
    CHECK(hits[n] < 1150);
  }
}

// A loop that never ends where nearly all cells are empty.
TEST_CASE("random finds the only request of a large queue") {
  filled<swept> f{5000};
  for (std::uint32_t n = 1; n <= 5000; ++n) f.insert(n);
  for (std::uint32_t n = 1; n <= 5000; ++n) {
    if (n != 3777) f.remove(n);
  }
  std::uint32_t drawn = 0;
  const auto draw = [&drawn] { return drawn += 0x10000001U; };
  CHECK(f.q.random(draw) == f.find(3777));
}

// The kernel's chains are LIFO; the order of SYN-ACKs within a bucket depends on it.
TEST_CASE("a bucket is walked newest first") {
  filled<swept> f{8};
  for (const std::uint32_t n : {5U, 10U, 15U, 20U}) f.insert(n);  // all hash to 0
  CHECK(f.bucket(0) == std::vector<std::uint32_t>{20, 15, 10, 5});
  f.remove(15);
  f.insert(25);
  CHECK(f.bucket(0) == std::vector<std::uint32_t>{25, 20, 10, 5});
  CHECK(f.bucket(1).empty());
}

// The hand can only find a bucket that is hash mod the number of buckets.
TEST_CASE("there are as many buckets as the largest power of two that fits, and a request is in hash mod that") {
  filled<swept> f{20};
  CHECK(f.q.buckets() == 16);
  const auto i = f.q.insert(make(1), 0x1234567bU);
  CHECK(f.q.bucket_front(0xb) == i);
  filled<swept> one{1};
  CHECK(one.q.buckets() == 1);
  CHECK(filled<swept>{16}.q.buckets() == 16);
}

// A re-listen with a larger backlog (kernels.md 6, invariant 37).
TEST_CASE("growing keeps every request, its index, its timer and its age") {
  filled<timed> f{5};
  for (std::uint32_t n = 1; n <= 5; ++n) f.insert(n, 100 * n);
  f.remove(3);
  f.insert(6, 50);
  std::vector<std::uint32_t> before;
  for (const std::uint32_t n : {1U, 2U, 4U, 5U, 6U}) before.push_back(f.find(n));
  REQUIRE(f.q.reserve(64, f.source));
  f.q.rehash(hash);
  CHECK(f.q.buckets() == 64);
  std::vector<std::uint32_t> after;
  for (const std::uint32_t n : {1U, 2U, 4U, 5U, 6U}) after.push_back(f.find(n));
  CHECK(before == after);
  CHECK(f.find(3) == timed::npos);
  CHECK(f.q.size() == 5);
  CHECK(f.q.young() == 5);
  CHECK(f.q.first_due() == f.find(6));
  CHECK(f.q.oldest() == f.find(1));
  for (std::uint32_t n = 10; n < 69; ++n) CHECK(f.insert(n) != timed::npos);
  CHECK(f.insert(99) == timed::npos);
}

// The essay in the header: "a chain is newest first", also after growing.
TEST_CASE("growing keeps a bucket newest first, although an early cell was used again") {
  filled<swept> f{8};
  for (const std::uint32_t n : {5U, 10U, 15U}) f.insert(n);
  f.remove(5);
  f.insert(20);  // the newest, in the oldest cell
  REQUIRE(f.q.reserve(32, f.source));
  f.q.rehash(hash);
  CHECK(f.bucket(0) == std::vector<std::uint32_t>{20, 15, 10});
}

TEST_CASE("asking for less room changes nothing; a storage that is too small neither") {
  fixed<4> source;
  request_queue<ipv4, exact<>, classes, detail::no_order, fixed<4>> q;
  CHECK(q.most(source) == 4);
  REQUIRE(q.reserve(3, source));
  q.insert(make(1), 1);
  CHECK(q.reserve(2, source));
  CHECK(q.capacity() == 3);
  CHECK_FALSE(q.reserve(5, source));
  CHECK(q.capacity() == 3);
  CHECK(q.find(key(1), 1) != q.npos);
}

TEST_CASE("clear forgets everything, and the queue works afterwards") {
  filled<timed> f{4};
  for (std::uint32_t n = 1; n <= 4; ++n) f.insert(n);
  f.remove(2);
  f.q.clear();
  CHECK(f.q.size() == 0);
  CHECK(f.q.young() == 0);
  CHECK(f.q.first_due() == timed::npos);
  CHECK(f.q.oldest() == timed::npos);
  CHECK(f.q.next_stored() == timed::npos);
  for (std::uint32_t n = 1; n <= 4; ++n) CHECK(f.find(n) == timed::npos);
  for (std::uint32_t n = 11; n <= 14; ++n) CHECK(f.insert(n) != timed::npos);
  CHECK(f.insert(15) == timed::npos);
  CHECK(f.q.first_due() == f.find(11));
}

namespace {

struct model_request {
  std::uint32_t n;
  instant deadline;
  std::uint32_t timeouts;
  std::uint32_t index;
};

// kernels.md 6, invariants 1 to 4, after every step of a random life, in which time goes on by units.
template <class Queue>
void random_life(std::uint32_t seed, duration unit = 1) {
  std::mt19937 engine{seed};
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(engine()) % n; };
  std::uint32_t capacity = 1 + below(12);
  filled<Queue> f{capacity};
  std::vector<model_request> model;  // oldest first
  instant now = 0;
  for (int step = 0; step < 1500; ++step) {
    now += unit * below(3);
    const std::uint32_t n = 1 + below(30);
    const auto it = std::find_if(model.begin(), model.end(), [&](const model_request& m) { return m.n == n; });
    REQUIRE((f.find(n) != Queue::npos) == (it != model.end()));
    if (it == model.end()) {
      const instant deadline = now + 10 * unit;
      const std::uint32_t i = f.insert(n, deadline);
      REQUIRE((i != Queue::npos) == (model.size() < capacity));
      if (i != Queue::npos) model.push_back({n, deadline, 0, i});
    } else if (const std::uint32_t what = below(4); what == 0) {
      it->deadline = now + 10 * unit * (1 + it->timeouts);
      f.q.restart(it->index, it->deadline);
    } else if (what == 1 && below(4) == 0) {
      it->timeouts = 0;
      it->deadline = now + 10 * unit;
      f.q.start_over(it->index, it->deadline);
    } else if (what == 1) {
      ++it->timeouts;
      it->deadline = now + 10 * unit * (1 + std::min(it->timeouts, 3U));
      f.q.time_out(it->index, it->deadline);
    } else {
      f.q.remove(it->index, hash(key(n)));
      model.erase(it);
    }
    if (below(200) == 0 && capacity < 60) {
      capacity += 1 + below(20);
      REQUIRE(f.q.reserve(capacity, f.source));
      f.q.rehash(hash);
    }

    REQUIRE(f.q.size() == model.size());
    std::size_t iterated = 0;
    for (auto i = f.q.next_stored(); i != Queue::npos; i = f.q.next_stored(i)) ++iterated;
    std::size_t walked = 0;
    for (std::uint32_t b = 0; b < f.q.buckets(); ++b) walked += f.bucket(b).size();
    CHECK(iterated == model.size());
    CHECK(walked == model.size());
    std::uint32_t young = 0;
    instant earliest = never;
    for (const model_request& m : model) {
      REQUIRE(f.find(m.n) == m.index);
      const request<ipv4> is = f.q.whole(m.index);
      CHECK(f.q[m.index].irs == m.n);
      CHECK(f.q.deadline(m.index) == is.deadline);
      CHECK(is.irs == m.n);
      CHECK(is.deadline == Queue::rounded(m.deadline));
      CHECK(is.timeouts == m.timeouts);
      young += m.timeouts == 0;
      earliest = std::min(earliest, Queue::rounded(m.deadline));
    }
    CHECK(f.q.young() == young);
    if constexpr (Queue::has_timers) {
      const std::uint32_t due = f.q.first_due();
      CHECK((due == Queue::npos) == model.empty());
      if (due != Queue::npos) CHECK(f.q.deadline(due) == earliest);
      CHECK(f.q.oldest() == (model.empty() ? Queue::npos : model.front().index));
    }
  }
}

}  // namespace

TEST_CASE("a long random life keeps every invariant, with timers") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) random_life<timed>(seed);
}

TEST_CASE("a long random life keeps every invariant, newest first among equals") {
  for (std::uint32_t seed = 1; seed <= 10; ++seed)
    random_life<queue<exact<tie_order::newest_first>, detail::one_line>>(seed);
}

TEST_CASE("a long random life keeps every invariant, with a sweeping hand") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) random_life<swept>(seed);
}

// A tick is 4096 us: most deadlines are rounded, many to the same one. With the longest unit time goes round what 28
// bits can tell apart.
TEST_CASE("a long random life keeps every invariant with compact requests, whatever turns the clock") {
  for (const duration unit : {duration{1}, duration{1500}, 40 * second, 3600 * second}) {
    CAPTURE(unit);
    for (std::uint32_t seed = 1; seed <= 3; ++seed) {
      random_life<compact_queue<exact<>, detail::one_line>>(seed, unit);
      random_life<compact_queue<exact<tie_order::newest_first>, detail::one_line>>(seed, unit);
      random_life<compact_queue<sweep<>, detail::no_order>>(seed, unit);
    }
  }
}

// A request that is handed over after a timeout would be young for ever: its neighbours' retries are cut by that count.
TEST_CASE("a copy of an old request is old") {
  filled<timed> f{4};
  request<ipv4> r = make(1);
  r.timeouts = 2;
  REQUIRE(f.q.insert(r, hash(key(1))) != timed::npos);
  CHECK(f.q.young() == 0);
  f.insert(2);
  CHECK(f.q.young() == 1);
  f.remove(1);
  CHECK(f.q.young() == 1);
}

// Buckets that are there at once, while the requests are still in those of before: a peer would be forgotten.
TEST_CASE("a queue that has grown finds its requests in the old buckets until it spreads them") {
  filled<timed> f{4};
  for (std::uint32_t n = 1; n <= 4; ++n) f.insert(n);  // hashes 2, 4, 1, 3
  REQUIRE(f.q.reserve(64, f.source));
  CHECK(f.q.buckets() == 4);
  for (std::uint32_t n = 1; n <= 4; ++n) CHECK(f.find(n) != timed::npos);
  f.q.rehash(hash);
  CHECK(f.q.buckets() == 64);
  for (std::uint32_t n = 1; n <= 4; ++n) CHECK(f.find(n) != timed::npos);
}

// A walk that skips one, goes the other way or past the end: some requests would never be evicted, or one that is none.
TEST_CASE("random: draws in vain end at the first request from there on, round the end, whatever cells are used") {
  constexpr std::uint32_t cells = 8;
  for (std::uint32_t stored = 0; stored < 1U << cells; ++stored) {
    filled<timed> f{cells};
    for (std::uint32_t i = 0; i < cells; ++i) REQUIRE(f.insert(i) == i);
    for (std::uint32_t i = 0; i < cells; ++i) {
      if ((stored >> i & 1U) == 0) f.remove(i);
    }
    for (std::uint32_t from = 0; from < cells; ++from) {
      std::uint32_t expected = stored == 0 ? timed::npos : from;
      while (stored != 0 && (stored >> expected & 1U) == 0) expected = (expected + 1) % cells;
      const std::uint32_t got = f.q.random([from] { return from << 29; });
      if (got != expected) CAPTURE(stored);
      CHECK(got == expected);
    }
  }
}
