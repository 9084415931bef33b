// SPDX-License-Identifier: BSL-1.0
// queue/accept_queue.hpp: first in, first out, through growth and wrap-round, against a std::deque.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <listenq/queue/accept_queue.hpp>
#include <random>

using namespace listenq;

namespace {

using queue = accept_queue<int, at_listen>;

struct filled {
  at_listen source{};
  queue q{};
  explicit filled(std::size_t capacity) { REQUIRE(q.reserve(capacity, source)); }
};

}  // namespace

TEST_CASE("what goes in first comes out first") {
  filled f{3};
  CHECK(f.q.push(1));
  CHECK(f.q.push(2));
  CHECK(f.q.push(3));
  CHECK(f.q.size() == 3);
  CHECK(f.q[0].handle == 1);
  CHECK(f.q[2].handle == 3);
  CHECK(f.q.pop().handle == 1);
  CHECK(f.q.pop().handle == 2);
  CHECK(f.q.pop().handle == 3);
  CHECK(f.q.size() == 0);
}

// One more than the capacity would overwrite the oldest.
TEST_CASE("a full queue takes nobody, a queue without memory neither") {
  filled f{2};
  f.q.push(1);
  f.q.push(2);
  CHECK_FALSE(f.q.push(3));
  CHECK(f.q.size() == 2);
  CHECK(f.q.pop().handle == 1);
  CHECK(f.q.push(4));
  CHECK(f.q.pop().handle == 2);
  CHECK(f.q.pop().handle == 4);
  queue none;
  CHECK_FALSE(none.push(1));
}

// Growth while the entries wrap round: every start, every fill, growth by one and by more than double.
TEST_CASE("growing keeps every entry and its place, wherever the ring stands") {
  constexpr std::size_t capacity = 5;
  for (std::size_t start = 0; start < capacity; ++start) {
    for (std::size_t fill = 0; fill <= capacity; ++fill) {
      for (const std::size_t grown : {capacity + 1, capacity + 3, 2 * capacity, 4 * capacity}) {
        CAPTURE(start);
        CAPTURE(fill);
        CAPTURE(grown);
        filled f{capacity};
        for (std::size_t i = 0; i < start; ++i) f.q.push(-1), f.q.pop();
        for (std::size_t i = 0; i < fill; ++i) f.q.push(static_cast<int>(i));
        if (fill > 1) f.q.abort(1);
        REQUIRE(f.q.reserve(grown, f.source));
        CHECK(f.q.capacity() == grown);
        for (std::size_t i = fill; i < grown; ++i) REQUIRE(f.q.push(static_cast<int>(i)));
        CHECK_FALSE(f.q.push(99));
        for (std::size_t i = 0; i < grown; ++i) {
          const auto e = f.q.pop();
          CHECK(e.handle == static_cast<int>(i));
          CHECK(e.aborted == (i == 1 && fill > 1));
        }
      }
    }
  }
}

TEST_CASE("asking for less room changes nothing") {
  filled f{4};
  f.q.push(1);
  CHECK(f.q.reserve(2, f.source));
  CHECK(f.q.capacity() == 4);
  CHECK(f.q[0].handle == 1);
}

// A capacity that grew although the storage did not: the next push writes past the end.
TEST_CASE("a storage that is too small leaves the queue as it was") {
  fixed<1, 3> source;
  accept_queue<int, fixed<1, 3>> q;
  CHECK(q.reserve(2, source));
  q.push(7);
  CHECK_FALSE(q.reserve(4, source));
  CHECK(q.capacity() == 2);
  CHECK(q[0].handle == 7);
  CHECK(q.push(8));
  CHECK_FALSE(q.push(9));
}

// A reset connection that loses its slot would let one more in than Linux does (quirk 22).
TEST_CASE("an aborted entry keeps its place and its slot") {
  filled f{3};
  for (int i = 1; i <= 3; ++i) f.q.push(i);
  CHECK(f.q.abort(2));
  CHECK(f.q.size() == 3);
  CHECK_FALSE(f.q.push(4));
  CHECK_FALSE(f.q.pop().aborted);
  const auto e = f.q.pop();
  CHECK(e.handle == 2);
  CHECK(e.aborted);
  CHECK_FALSE(f.q.pop().aborted);
}

// A stale mark in a slot that is used again.
TEST_CASE("a slot that held an aborted entry is clean when it is used again") {
  filled f{1};
  f.q.push(1);
  f.q.abort(1);
  f.q.pop();
  f.q.push(2);
  CHECK_FALSE(f.q.pop().aborted);
}

TEST_CASE("abort marks the oldest unmarked entry of that handle, and says when there is none") {
  filled f{3};
  CHECK_FALSE(f.q.abort(5));
  f.q.push(5);
  f.q.push(5);
  CHECK(f.q.abort(5));
  CHECK(f.q[0].aborted);
  CHECK_FALSE(f.q[1].aborted);
  CHECK(f.q.abort(5));
  CHECK(f.q[1].aborted);
  CHECK_FALSE(f.q.abort(5));
  CHECK_FALSE(f.q.abort(6));
}

TEST_CASE("a long random life is that of a std::deque") {
  struct entry {
    int handle;
    bool aborted;
  };
  std::mt19937 engine{7};
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(engine()) % n; };
  for (int life = 0; life < 50; ++life) {
    filled f{1 + below(4)};
    std::size_t capacity = f.q.capacity();
    std::deque<entry> model;
    for (int step = 0; step < 400; ++step) {
      switch (below(8)) {
        case 0:
        case 1:
        case 2: {
          const int handle = static_cast<int>(below(6));
          CHECK(f.q.push(handle) == (model.size() < capacity));
          if (model.size() < capacity) model.push_back({handle, false});
          break;
        }
        case 3:
        case 4:
          if (!model.empty()) {
            const auto e = f.q.pop();
            CHECK(e.handle == model.front().handle);
            CHECK(e.aborted == model.front().aborted);
            model.pop_front();
          }
          break;
        case 5:
        case 6: {
          const int handle = static_cast<int>(below(6));
          bool found = false;
          for (entry& e : model) {
            if (found || e.aborted || e.handle != handle) continue;
            e.aborted = found = true;
          }
          CHECK(f.q.abort(handle) == found);
          break;
        }
        default:
          if (below(20) == 0 && capacity < 40) {
            capacity += 1 + below(5);
            REQUIRE(f.q.reserve(capacity, f.source));
          }
      }
      REQUIRE(f.q.size() == model.size());
      for (std::size_t i = 0; i < model.size(); ++i) {
        CHECK(f.q[i].handle == model[i].handle);
        CHECK(f.q[i].aborted == model[i].aborted);
      }
    }
  }
}

TEST_CASE("contains: those who wait, and nobody else") {
  accept_queue<int, at_listen> q;
  at_listen heap;
  REQUIRE(q.reserve(3, heap));
  CHECK_FALSE(q.contains(1));
  for (const int h : {1, 2, 3}) q.push(h);
  q.pop();
  q.push(4);  // the ring has come round
  CHECK_FALSE(q.contains(1));
  for (const int h : {2, 3, 4}) CHECK(q.contains(h));
  CHECK_FALSE(q.contains(0));
  q.pop();
  CHECK_FALSE(q.contains(2));
  CHECK_FALSE(q.abort(2));
}

// Asked of a new ring: a listener that listens again over a block that is used up would be refused what it has.
TEST_CASE("could_reserve: what there is already needs nothing of the storage, and one more does") {
  alignas(16) std::array<std::byte, 4 * sizeof(accept_queue<int, caller_memory>::entry)> block{};
  caller_memory source{block.data(), block.size()};
  accept_queue<int, caller_memory> q;
  caller_memory trial = source;
  CHECK(q.could_reserve(4, trial));
  REQUIRE(q.reserve(4, source));
  trial = source;
  CHECK(q.could_reserve(4, trial));
  CHECK(q.could_reserve(1, trial));
  CHECK_FALSE(q.could_reserve(5, trial));
}
