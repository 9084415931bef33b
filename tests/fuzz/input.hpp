// SPDX-License-Identifier: BSL-1.0
// What all fuzz targets stand on: bytes taken one by one, and a property that ends the process when it does not hold.
// A target knows nothing of where its bytes come from: libFuzzer, or replay.cpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <listenq/segment.hpp>
#include <memory>

namespace fuzz {

/// Says which property broke, and aborts: both drivers then name the file.
inline void expect(bool holds, const char* sentence) {
  if (holds) return;
  std::fprintf(stderr, "\nproperty broken: %s\n", sentence);
  std::abort();
}

/// The bytes of a case. Behind their end there are zeros.
class input {
 public:
  input(const std::uint8_t* data, std::size_t size) noexcept : data_(data), left_(size) {}
  bool empty() const noexcept { return left_ == 0; }
  std::size_t left() const noexcept { return left_; }
  std::uint8_t byte() noexcept {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  std::uint16_t word() noexcept { return static_cast<std::uint16_t>(byte() << 8 | byte()); }
  std::uint32_t number() noexcept { return std::uint32_t{word()} << 16 | word(); }
  /// So many bytes, fewer at the end.
  listenq::byte_view take(std::size_t n) noexcept {
    n = std::min(n, left_);
    const auto* const from = reinterpret_cast<const std::byte*>(data_);
    data_ += n;
    left_ -= n;
    return {from, n};
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

/// A copy on the heap that is not a byte longer, so that a sanitizer sees every read behind its end.
class exact_copy {
 public:
  explicit exact_copy(listenq::byte_view from) : bytes_(new std::byte[from.size]), size_(from.size) {
    std::copy(from.begin(), from.end(), bytes_.get());
  }
  explicit exact_copy(std::size_t size) : bytes_(new std::byte[size]{}), size_(size) {}
  std::byte* data() noexcept { return bytes_.get(); }
  std::size_t size() const noexcept { return size_; }
  listenq::byte_view view() const noexcept { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_;
};

inline bool same_bytes(listenq::byte_view a, listenq::byte_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace fuzz
