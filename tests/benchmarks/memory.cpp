// SPDX-License-Identifier: BSL-1.0
// What benchmarks/memory.cpp shows: what a half-open connection takes, all in, and that nothing is allocated after
// listen().
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/compact.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/freebsd_13.hpp>
#include <listenq/preset/linux_2_6_32.hpp>
#include <listenq/preset/linux_6_18.hpp>

#include "support/contents.hpp"

using namespace bench;

namespace {

template <class L, class A = ipv4>
void takes(std::uint32_t n, double most_bytes) {
  const contents c = fill<L, A>(n);
  CHECK(c.full);
  CHECK(c.allocations == 0);
  CHECK(static_cast<double>(c.bytes - c.waiting_room) / n <= most_bytes);
  CHECK(c.bytes >= n * L::bytes_per_request);  // else they are somewhere where nobody counts
}

}  // namespace

// A vector that grows, a std::function in an observer, a node of a map: an allocation in the way of a flood.
TEST_CASE("nothing is allocated after listen(), and a half-open connection takes what bytes_per_request says") {
  // The listener itself, with its counters, is spread over them, and what malloc rounds up.
  takes<preset::linux_6_18>(1 << 12, preset::linux_6_18::bytes_per_request + 2);
  takes<preset::linux_6_18>(1 << 18, preset::linux_6_18::bytes_per_request + 0.2);
  takes<listener<clockwork<sweep<>>>>(1 << 12, listener<>::bytes_per_request - 8 + 0.5);
  takes<listener<request_full<evict_oldest>>>(1 << 12, listener<>::bytes_per_request + 8 + 0.5);
  takes<listener<family<ipv6>>, ipv6>(1 << 12, 88.5);
  takes<listener<family<ipv6>, clockwork<sweep<>>>, ipv6>(1 << 12, 80.5);
  takes<listener<family<dual>>, dual>(1 << 12, 88.5);
  takes<compact_listener>(1 << 12, 40.5);
  takes<with<compact_listener, family<ipv6>>, ipv6>(1 << 12, 64.5);
}

// The count is of the heap: containers must be seen to allocate.
TEST_CASE("the counter sees an allocation") {
  const heap_use before = heap;
  void* const p = ::operator new[](1000);  // called by name: a compiler may leave out a new-expression
  const heap_use with = heap;
  ::operator delete[](p);
  const heap_use after = heap;
  CHECK(with.allocations == before.allocations + 1);
  CHECK(with.bytes >= before.bytes + 1000);
  CHECK(after.allocations == with.allocations);
  CHECK(after.bytes == before.bytes);
}

// An array of what is aligned to 32 bytes is not taken by the forms above: compact requests seemed to cost 8 bytes.
TEST_CASE("the counter sees what has to lie at multiples of more than 16") {
  const heap_use before = heap;
  void* const p = ::operator new[](1000, std::align_val_t{64}, std::nothrow);
  const heap_use with = heap;
  ::operator delete[](p, std::align_val_t{64});
  CHECK(with.allocations == before.allocations + 1);
  CHECK(with.bytes >= before.bytes + 1000);
  CHECK(heap.bytes == before.bytes);
}
