// SPDX-License-Identifier: BSL-1.0
// policy/storage.hpp: the three models by themselves; at the end a listener that must not allocate.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <listenq/compact.hpp>
#include <listenq/policy/storage.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <new>
#include <utility>

#include "support/script.hpp"

namespace {

std::size_t allocations = 0;
bool memory_is_gone = false;

void* allocate(std::size_t n) noexcept {
  ++allocations;
  return memory_is_gone ? nullptr : std::malloc(n);
}

}  // namespace

// Every form that the storage could use; gcc does not see that new and delete fit together.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif
void* operator new(std::size_t n) {
  void* const p = allocate(n);
  if (p == nullptr) throw std::bad_alloc{};
  return p;
}
void* operator new[](std::size_t n) { return ::operator new(n); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return allocate(n); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return allocate(n); }
void* operator new[](std::size_t n, std::align_val_t at, const std::nothrow_t&) noexcept {
  ++allocations;
  return memory_is_gone ? nullptr : std::aligned_alloc(static_cast<std::size_t>(at), n);
}
void* operator new[](std::size_t n, std::align_val_t at) {
  void* const p = ::operator new[](n, at, std::nothrow);
  if (p == nullptr) throw std::bad_alloc{};
  return p;
}
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { std::free(p); }

using namespace listenq;

namespace {

struct wide {
  std::uint64_t a = 1;
  std::uint32_t b = 2;
};

template <class Array, class Source>
void fill(Array& a, std::size_t n, Source& source) {
  REQUIRE(a.reserve(n, source));
  for (std::size_t i = 0; i < n; ++i) a[i].b = static_cast<std::uint32_t>(i);
}

template <class Array>
bool holds(const Array& a, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    if (a[i].b != i) return false;
  }
  return true;
}

}  // namespace

// The two sizes swapped: a listener with few requests and many connections would refuse to listen.
TEST_CASE("fixed has room for its two numbers, inside itself") {
  fixed<5, 2> source;
  fixed<5, 2>::array<wide, stored::requests> requests;
  fixed<5, 2>::array<wide, stored::connections> connections;
  CHECK(requests.capacity() == 5);
  CHECK(connections.capacity() == 2);
  CHECK(requests.most(source) == 5);
  CHECK(requests.reserve(5, source));
  CHECK_FALSE(requests.reserve(6, source));
  CHECK_FALSE(connections.reserve(3, source));
  CHECK(sizeof(requests) == 5 * sizeof(wide));
  CHECK(fixed<7>::array<int, stored::connections>{}.capacity() == 7);
}

// An array that shrinks, loses what it has, or allocates again for less.
TEST_CASE("at_listen grows and keeps what it holds; asking for less changes nothing") {
  at_listen source;
  at_listen::array<wide, stored::requests> a;
  CHECK(a.capacity() == 0);
  fill(a, 10, source);
  const std::size_t before = allocations;
  CHECK(a.reserve(10, source));
  CHECK(a.reserve(3, source));
  CHECK(allocations == before);
  CHECK(a.capacity() == 10);
  CHECK(a.reserve(100, source));
  CHECK(allocations == before + 1);
  CHECK(a.capacity() == 100);
  CHECK(holds(a, 10));
  CHECK(a[99].b == 2);  // the new ones are as a default-constructed one
}

// A number of bytes that wraps, or an allocation of 2^40 bytes that is really tried.
TEST_CASE("at_listen refuses what cannot be") {
  at_listen source;
  at_listen::array<wide, stored::requests> a;
  fill(a, 4, source);
  const std::size_t before = allocations;
  CHECK_FALSE(a.reserve(a.most(source) + 1, source));
  CHECK_FALSE(a.reserve(~std::size_t{0}, source));
  CHECK(allocations == before);
  CHECK(a.capacity() == 4);
  CHECK(holds(a, 4));
}

// An exception out of a noexcept function, or a half-grown array.
TEST_CASE("at_listen survives a failed allocation unchanged") {
  at_listen source;
  at_listen::array<wide, stored::requests> a;
  fill(a, 4, source);
  memory_is_gone = true;
  const bool grown = a.reserve(8, source);
  memory_is_gone = false;
  CHECK_FALSE(grown);
  CHECK(a.capacity() == 4);
  CHECK(holds(a, 4));
}

// A shallow copy: two owners of one block. A stolen one: a queue that believes it has room, over none.
TEST_CASE("at_listen copies deeply, and moving copies") {
  at_listen source;
  at_listen::array<wide, stored::requests> a;
  fill(a, 6, source);
  auto copy = a;
  copy[3].b = 77;
  CHECK(holds(a, 6));
  CHECK(copy.capacity() == 6);
  auto moved = std::move(a);
  CHECK(holds(moved, 6));
  CHECK(holds(a, 6));  // NOLINT(bugprone-use-after-move): that it is still whole is the point
  moved = copy;
  CHECK(moved[3].b == 77);
  CHECK(copy[3].b == 77);
}

// Misaligned objects, or two arrays over one another.
TEST_CASE("caller_memory lays arrays out one behind the other, aligned, within the block") {
  alignas(16) std::byte block[256];
  caller_memory source{block + 1, sizeof(block) - 1};  // odd on purpose
  caller_memory::array<wide, stored::requests> a;
  caller_memory::array<std::uint64_t, stored::connections> b;
  fill(a, 4, source);
  REQUIRE(b.reserve(3, source));
  for (std::size_t i = 0; i < 3; ++i) b[i] = ~std::uint64_t{0};
  CHECK(holds(a, 4));
  CHECK(reinterpret_cast<std::uintptr_t>(&a[0]) % alignof(wide) == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(&b[0]) % alignof(std::uint64_t) == 0);
  CHECK(reinterpret_cast<std::byte*>(&b[2] + 1) <= block + sizeof(block));
  CHECK(source.data + source.bytes == block + sizeof(block));
}

// An off-by-one at the end of somebody else's memory.
TEST_CASE("caller_memory takes the last byte and not one more") {
  alignas(8) std::byte block[sizeof(wide) * 3];
  caller_memory exact{block, sizeof(block)};
  caller_memory::array<wide, stored::requests> a;
  CHECK(a.most(exact) == 3);
  CHECK_FALSE(a.reserve(4, exact));
  CHECK(a.capacity() == 0);
  CHECK(a.reserve(3, exact));
  CHECK(exact.bytes == 0);
  caller_memory short_by_one{block, sizeof(block) - 1};
  caller_memory::array<wide, stored::requests> b;
  CHECK(b.most(short_by_one) == 2);
  CHECK_FALSE(b.reserve(3, short_by_one));
  caller_memory none;
  CHECK(caller_memory::array<wide, stored::requests>{}.most(none) == 0);
  caller_memory tiny{block + 1, 3};  // less than the padding
  CHECK(caller_memory::array<wide, stored::requests>{}.most(tiny) == 0);
}

TEST_CASE("caller_memory grows behind what it holds and keeps it; what it has already counts as possible") {
  alignas(8) std::byte block[sizeof(wide) * 5];
  caller_memory source{block, sizeof(block)};
  caller_memory::array<wide, stored::requests> a;
  fill(a, 2, source);
  CHECK(a.most(source) == 3);
  CHECK(a.reserve(3, source));
  CHECK(holds(a, 2));
  CHECK(a.most(source) == 3);
  CHECK(source.bytes == 0);
}

// The promise of storage.hpp: memory is taken in listen() and nowhere else.
TEST_CASE_TEMPLATE("a listener allocates four times in listen and never again", L, preset::linux_6_18,
                   compact_listener) {
  L l;
  std::size_t before = allocations;
  REQUIRE(l.listen(64));
  CHECK(allocations == before + 4);
  before = allocations;
  test::script<L> s{64};
  CHECK(allocations == before + 4);
  before = allocations;
  s.listener.set(tunable::abort_on_overflow, 1);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 200; ++i) s.syn(i);
    for (int i = 0; i < 100; ++i) s.ack(i);
    s.run_until(s.now + 70 * second);
    while (s.listener.accept()) {
    }
  }
  s.listener.listen(8);
  s.listener.listen(64);
  s.listener.close(s.out);
  s.listener.listen(64);
  CHECK(allocations == before);
  CHECK(s.out.count > 200);
}

// A listen() that says "ok" without memory would write through a null pointer at the first SYN.
TEST_CASE_TEMPLATE("listen says so when there is no memory, and the listener stays closed", L, preset::linux_6_18,
                   compact_listener) {
  L l;
  memory_is_gone = true;
  const listen_result r = l.listen(64);
  memory_is_gone = false;
  CHECK_FALSE(r);
  CHECK(r.status == listen_status::storage_too_small);
  CHECK_FALSE(l.listening());
  CHECK(l.listen(64));
}

TEST_CASE("an array takes over size and contents of the one that is assigned to it") {
  at_listen heap;
  at_listen::array<wide, stored::requests> small, large;
  fill(small, 2, heap);
  fill(large, 5, heap);
  small = large;
  CHECK(small.capacity() == 5);
  CHECK(small[4].b == 4);
  large = at_listen::array<wide, stored::requests>{};
  CHECK(large.capacity() == 0);
}

TEST_CASE("at_listen holds 4 GiB at most") {
  const at_listen heap;
  const at_listen::array<wide, stored::requests> a;
  CHECK(a.most(heap) == 0x100000000U / sizeof(wide));
}

TEST_CASE("a block too small for its own padding holds nothing") {
  alignas(16) std::byte block[64];
  for (const std::size_t bytes : {0U, 1U, 6U, 7U, 15U}) {
    CHECK(caller_memory::array<wide, stored::requests>{}.most({block + 1, bytes}) == 0);
  }
  CHECK(caller_memory::array<wide, stored::requests>{}.most({block + 1, 7 + sizeof(wide)}) == 1);
  CHECK(caller_memory::array<wide, stored::requests>{}.most({block, sizeof(wide) - 1}) == 0);
}

// Two arrays over one part of the block, or one that believes it has room, over none.
TEST_CASE("caller_memory: an array that is assigned takes over what it is given and leaves nothing behind") {
  alignas(8) std::byte block[sizeof(wide) * 6];
  caller_memory source{block, sizeof(block)};
  caller_memory::array<wide, stored::requests> a, b;
  fill(a, 3, source);
  fill(b, 1, source);
  b = std::move(a);
  CHECK(b.capacity() == 3);
  CHECK(holds(b, 3));
  CHECK(a.capacity() == 0);  // NOLINT(bugprone-use-after-move): what is left of it is the point
}

// A second listen() with the same backlog that eats the caller's block.
TEST_CASE("caller_memory: asking for no more than there is takes nothing") {
  alignas(8) std::byte block[sizeof(wide) * 6];
  caller_memory source{block, sizeof(block)};
  caller_memory::array<wide, stored::requests> a;
  fill(a, 3, source);
  const std::size_t left = source.bytes;
  for (const std::size_t n : {3U, 2U, 0U}) CHECK(a.reserve(n, source));
  CHECK(source.bytes == left);
  CHECK(a.capacity() == 3);
  CHECK(holds(a, 3));
}
