// SPDX-License-Identifier: BSL-1.0
// Counts what a program takes from the heap. Include it in one file of a program: it replaces operator new.
#pragma once

#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace bench {

struct heap_use {
  std::size_t allocations = 0;  ///< ever
  std::size_t bytes = 0;        ///< now, as malloc rounds them, its own head of each included
};
inline heap_use heap;

namespace detail {
constexpr std::size_t malloc_head = sizeof(std::size_t);
inline void* counted(void* p) noexcept {
  if (p == nullptr) return nullptr;
  ++heap.allocations;
  heap.bytes += malloc_usable_size(p) + malloc_head;
  return p;
}
inline void* take(std::size_t n) noexcept { return counted(std::malloc(n)); }
inline void* take(std::size_t n, std::align_val_t at) noexcept {
  const auto multiple = static_cast<std::size_t>(at);
  return counted(std::aligned_alloc(multiple, (n + multiple - 1) / multiple * multiple));
}
inline void give_back(void* p) noexcept {
  if (p == nullptr) return;
  heap.bytes -= malloc_usable_size(p) + malloc_head;
  std::free(p);
}
}  // namespace detail

}  // namespace bench

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif
void* operator new(std::size_t n) {
  void* const p = bench::detail::take(n);
  if (p == nullptr) throw std::bad_alloc{};
  return p;
}
void* operator new[](std::size_t n) { return ::operator new(n); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return bench::detail::take(n); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return bench::detail::take(n); }
void operator delete(void* p) noexcept { bench::detail::give_back(p); }
void operator delete[](void* p) noexcept { bench::detail::give_back(p); }
void operator delete(void* p, std::size_t) noexcept { bench::detail::give_back(p); }
void operator delete[](void* p, std::size_t) noexcept { bench::detail::give_back(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { bench::detail::give_back(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { bench::detail::give_back(p); }
// Of what has to lie at multiples of more than 16.
void* operator new(std::size_t n, std::align_val_t at) {
  void* const p = bench::detail::take(n, at);
  if (p == nullptr) throw std::bad_alloc{};
  return p;
}
void* operator new[](std::size_t n, std::align_val_t at) { return ::operator new(n, at); }
void* operator new(std::size_t n, std::align_val_t at, const std::nothrow_t&) noexcept {
  return bench::detail::take(n, at);
}
void* operator new[](std::size_t n, std::align_val_t at, const std::nothrow_t&) noexcept {
  return bench::detail::take(n, at);
}
void operator delete(void* p, std::align_val_t) noexcept { bench::detail::give_back(p); }
void operator delete[](void* p, std::align_val_t) noexcept { bench::detail::give_back(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { bench::detail::give_back(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { bench::detail::give_back(p); }
void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept { bench::detail::give_back(p); }
void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept { bench::detail::give_back(p); }
