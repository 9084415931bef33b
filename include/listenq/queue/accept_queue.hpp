// SPDX-License-Identifier: BSL-1.0
// The accept queue: finished handshakes in the order in which they finished, until somebody accepts them.
//
//      push ->  [ oldest | ... | newest ]  -> pop oldest
//
// Invariants: `size() <= capacity()`; what comes out is what went in, in that order; an entry marked aborted keeps its
// place and its slot until it is popped. It does not know requests, limits or time: the listener asks `waiting` before
// it pushes. All operations are O(1) but `abort` and `contains`, which are O(size).
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/policy/storage.hpp>

namespace listenq {

/// A ring of `T` in memory of `Storage`.
template <class T, storage_policy Storage>
class accept_queue {
 public:
  struct entry {
    T handle{};
    bool aborted = false;
  };

  /// Makes room for `n` entries in all; the waiting ones stay. False, and nothing changed, if the storage is too small.
  constexpr bool reserve(std::size_t n, Storage& source) noexcept {
    const std::size_t before = capacity_;
    if (n <= before) return true;
    if (!ring_.reserve(n, source)) return false;
    // The entries that had wrapped round now follow the others.
    const std::size_t wrapped = head_ + size_ > before ? head_ + size_ - before : 0;
    capacity_ = n;
    for (std::size_t i = 0; i < wrapped; ++i) ring_[(before + i) % n] = ring_[i];
    return true;
  }

  /// Would `reserve` work? It takes from `trial`, a copy of the storage's value.
  constexpr bool could_reserve(std::size_t n, Storage& trial) const noexcept {
    return n <= capacity_ || decltype(ring_){}.reserve(n, trial);
  }

  /// False if there is no slot left.
  [[gnu::always_inline]] constexpr bool push(const T& handle) noexcept {
    if (size_ == capacity_) [[unlikely]]
      return false;
    entry& e = ring_[wrap(head_ + size_++)];
    e.handle = handle;
    e.aborted = false;
    return true;
  }

  /// The oldest entry; there must be one.
  constexpr entry pop() noexcept {
    const entry e = ring_[head_];
    ++head_;
    if (--size_ == 0 || head_ == capacity_) head_ = 0;  // an empty one begins again where the cache still has it
    return e;
  }

  /// Marks the oldest unmarked entry with this handle; false if there is none.
  constexpr bool abort(const T& handle) noexcept {
    for (std::size_t i = 0; i < size_; ++i) {
      entry& e = ring_[wrap(head_ + i)];
      if (!e.aborted && e.handle == handle) {
        e.aborted = true;
        return true;
      }
    }
    return false;
  }

  /// Is there an entry with this handle, marked or not? O(size).
  constexpr bool contains(const T& handle) const noexcept {
    for (std::size_t i = 0; i < size_; ++i) {
      if (ring_[wrap(head_ + i)].handle == handle) return true;
    }
    return false;
  }

  constexpr std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(size_); }
  constexpr std::size_t capacity() const noexcept { return capacity_; }
  /// The `i`-th oldest.
  constexpr const entry& operator[](std::size_t i) const noexcept { return ring_[wrap(head_ + i)]; }

 private:
  constexpr std::size_t wrap(std::size_t i) const noexcept { return i < capacity_ ? i : i - capacity_; }

  typename Storage::template array<entry, stored::connections> ring_{};
  std::size_t capacity_ = 0;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace listenq
