// SPDX-License-Identifier: BSL-1.0
// storage: where requests and waiting connections live. Memory is taken in listen() and nowhere else.
// It does not limit anything: `sizing` and `waiting` do. A storage that is too small for them makes listen() fail.
//
// When to use which: `at_listen` (three allocations for requests and one for waiting connections, more only when a
// later listen() needs more); `fixed<R, W>` for inside-the-object storage of R requests and W connections, no heap at
// all; `caller_memory` when a block of the caller's own must be used.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/static_array.hpp>
#include <new>
#include <type_traits>
#include <utility>

namespace listenq {

/// What is stored; a model may give each its own place. Of a request the parts are kept in an array each.
enum class stored : std::uint8_t { requests, connections };

/// `P::template array<T, Role>` is default-constructible; `reserve(n, source)` makes room for n objects, keeps those it
/// has and says whether it worked (a failed one changes nothing); `capacity()`; `operator[]`. `most(source)` is how
/// many it could ever hold. `source` is the policy's own value. A model whose arrays take from one place says, too, how
/// many of several types together there is room for: `source.most_together<T...>()`, see `caller_memory`.
template <class P>
concept storage_policy = std::default_initializable<P> &&
    requires(typename P::template array<int, stored::requests>& a, P& source, std::size_t n) {
  { a.reserve(n, source) } -> std::same_as<bool>;
  { a.capacity() } -> std::same_as<std::size_t>;
  { a.most(source) } -> std::same_as<std::size_t>;
  { a[n] } -> std::same_as<int&>;
};

/// Inside the listener: Requests requests and Connections waiting connections.
template <std::size_t Requests, std::size_t Connections = Requests>
struct fixed {
  static_assert(Requests > 0 && Connections > 0, "listenq: fixed<requests, connections> needs room for one of each.");
  static constexpr const char* name = "fixed";
  template <class T, stored Role>
  class array {
   public:
    static constexpr std::size_t size = Role == stored::requests ? Requests : Connections;
    constexpr bool reserve(std::size_t n, fixed&) noexcept { return n <= size; }
    constexpr std::size_t capacity() const noexcept { return size; }
    constexpr std::size_t most(const fixed&) const noexcept { return size; }
    constexpr T& operator[](std::size_t i) noexcept { return items_[i]; }
    constexpr const T& operator[](std::size_t i) const noexcept { return items_[i]; }

   private:
    static_array<T, size> items_{};
  };
};

/// On the heap, for each array one allocation when listen() asks, 4 GiB at most (what there can be, in 32 bits).
/// Copying or moving a listener copies what it holds, with an ordinary `new`; listen() itself never throws.
struct at_listen {
  static constexpr const char* name = "at_listen";
  template <class T, stored>
  class array {
   public:
    constexpr array() noexcept = default;
    constexpr array(const array& other) : items_{other.size_ == 0 ? nullptr : new T[other.size_]}, size_{other.size_} {
      for (std::size_t i = 0; i < size_; ++i) items_[i] = other.items_[i];
    }
    constexpr array& operator=(array other) noexcept {
      std::swap(items_, other.items_);
      std::swap(size_, other.size_);
      return *this;
    }
    constexpr ~array() { delete[] items_; }

    constexpr bool reserve(std::size_t n, at_listen&) noexcept {
      if (n <= size_) return true;
      if (n > most({})) return false;
      T* const grown = make(n);
      if (grown == nullptr) return false;
      for (std::size_t i = 0; i < size_; ++i) grown[i] = items_[i];
      delete[] std::exchange(items_, grown);
      size_ = n;
      return true;
    }
    constexpr std::size_t capacity() const noexcept { return size_; }
    constexpr std::size_t most(const at_listen&) const noexcept {
      constexpr std::uint64_t most_bytes = std::uint64_t{1} << 32;
      return (PTRDIFF_MAX < most_bytes ? std::size_t{PTRDIFF_MAX} : most_bytes) / sizeof(T);
    }
    constexpr T& operator[](std::size_t i) noexcept { return items_[i]; }
    constexpr const T& operator[](std::size_t i) const noexcept { return items_[i]; }

   private:
    static constexpr T* make(std::size_t n) noexcept {
      if (std::is_constant_evaluated()) return new T[n];
      return new (std::nothrow) T[n];
    }
    T* items_ = nullptr;
    std::size_t size_ = 0;
  };
};

/// In a block that the caller owns and keeps alive: `caller_memory{data, bytes}`. What a grown listen() leaves behind
/// is not used again. A listener over such a block cannot be copied, and it is the one storage that constant
/// expressions cannot use.
struct caller_memory {
  static constexpr const char* name = "caller_memory";
  std::byte* data = nullptr;
  std::size_t bytes = 0;

  /// For how many objects of each type there is room, in an array of each, one behind the other.
  template <class First, class... Rest>
  std::size_t most_together() const noexcept {
    static_assert(((sizeof(First) % 4 == 0 && alignof(Rest) <= 4 && sizeof(Rest) % 4 == 0) && ...),
                  "listenq: arrays behind the first begin where it ends, at a multiple of 4.");
    const std::size_t lost = padding(alignof(First));
    return bytes < lost ? 0 : (bytes - lost) / (sizeof(First) + (sizeof(Rest) + ... + 0));
  }

  template <class T, stored>
  class array {
    static_assert(std::is_trivially_destructible_v<T>);

   public:
    constexpr array() noexcept = default;
    array(const array&) = delete;
    array& operator=(const array&) = delete;
    array(array&& other) noexcept
        : items_{std::exchange(other.items_, nullptr)}, size_{std::exchange(other.size_, 0)} {}
    array& operator=(array&& other) noexcept {
      items_ = std::exchange(other.items_, nullptr);
      size_ = std::exchange(other.size_, 0);
      return *this;
    }
    ~array() = default;

    bool reserve(std::size_t n, caller_memory& source) noexcept {
      if (n <= size_) return true;
      if (n > fits(source)) return false;
      source.take(source.padding(alignof(T)));
      T* const grown = new (source.data) T[n];
      source.take(n * sizeof(T));
      for (std::size_t i = 0; i < size_; ++i) grown[i] = items_[i];
      items_ = grown;
      size_ = n;
      return true;
    }
    constexpr std::size_t capacity() const noexcept { return size_; }
    std::size_t most(const caller_memory& source) const noexcept {
      const std::size_t n = fits(source);
      return n > size_ ? n : size_;
    }
    T& operator[](std::size_t i) noexcept { return items_[i]; }
    const T& operator[](std::size_t i) const noexcept { return items_[i]; }

   private:
    static std::size_t fits(const caller_memory& source) noexcept { return source.template most_together<T>(); }
    T* items_ = nullptr;
    std::size_t size_ = 0;
  };

 private:
  std::size_t padding(std::size_t alignment) const noexcept {
    return (alignment - reinterpret_cast<std::uintptr_t>(data) % alignment) % alignment;
  }
  void take(std::size_t n) noexcept {
    data += n;
    bytes -= n;
  }
};

using default_storage = at_listen;

namespace slot {
struct storage {
  static constexpr const char* name = "storage";
};
}  // namespace slot
/// Keyword: where requests and waiting connections live.
template <storage_policy P = default_storage>
struct storage {
  using slot = listenq::slot::storage;
  using policy = P;
};

}  // namespace listenq
