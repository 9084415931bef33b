// SPDX-License-Identifier: BSL-1.0
// Bytes that came too early: they are held until the gap before them closes. Bounded twice, by the window that the
// owner offers and by a number of ranges; what is beyond is dropped and will come again. It knows no segments.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <listenq/segment.hpp>
#include <vector>

namespace listenq {

/// Ranges of a stream ahead of the next number expected, in order, none touching another.
class reassembly {
 public:
  static constexpr std::size_t most_ranges = 32;

  /// Numbers [first, last).
  struct range {
    seq_number first = 0;
    seq_number last = 0;
  };

  /// Holds `bytes` from `first` on, which lies behind `next`, the number expected; all of it within 2^31 of `next`.
  /// False, and nothing held, when that makes one range too many. O(ranges + bytes).
  bool put(seq_number next, seq_number first, byte_view bytes) {
    if (bytes.empty()) return true;
    if (count_ == 0) base_ = next;
    const seq_number last = first + static_cast<seq_number>(bytes.size);
    range* const end = ranges_.data() + count_;
    range* const from = std::find_if(ranges_.data(), end, [&](const range& r) { return !seq_before(r.last, first); });
    range* const to = std::find_if(from, end, [&](const range& r) { return seq_after(r.first, last); });
    range merged{first, last};
    if (from == to) {
      if (count_ == most_ranges) return false;
      std::copy_backward(from, end, end + 1);
      ++count_;
    } else {
      if (seq_before(from->first, first)) merged.first = from->first;
      if (seq_after((to - 1)->last, last)) merged.last = (to - 1)->last;
      count_ = count_up_to(std::copy(to, end, from + 1));
    }
    *from = merged;
    const std::size_t offset = first - base_;
    held_.resize(std::max(held_.size(), offset + bytes.size));
    std::copy(bytes.begin(), bytes.end(), held_.begin() + static_cast<std::ptrdiff_t>(offset));
    return true;
  }

  /// What is held from `next` on without a gap. Good until the next call that is not const.
  byte_view ready(seq_number next) const noexcept {
    const range* const end = ranges_.data() + count_;
    const range* const r = std::find_if(ranges_.data(), end, [&](const range& x) { return seq_after(x.last, next); });
    if (r == end || seq_after(r->first, next)) return {};
    return {held_.data() + (next - base_), std::size_t{r->last - next}};
  }

  /// Everything before `next` is the owner's now. O(bytes held).
  void forget_before(seq_number next) {
    range* const end = ranges_.data() + count_;
    range* const kept = std::find_if(ranges_.data(), end, [&](const range& r) { return seq_after(r.last, next); });
    count_ = count_up_to(std::copy(kept, end, ranges_.data()));
    if (count_ == 0) return held_.clear();
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(next - base_));
    base_ = next;
  }

  std::size_t ranges() const noexcept { return count_; }
  const range& operator[](std::size_t i) const noexcept { return ranges_[i]; }

 private:
  std::size_t count_up_to(const range* end) const noexcept {
    return static_cast<std::size_t>(std::distance(ranges_.data(), end));
  }

  std::vector<std::byte> held_;  // from `base_` on, gaps included
  std::array<range, most_ranges> ranges_{};
  std::size_t count_ = 0;
  seq_number base_{};
};

}  // namespace listenq
