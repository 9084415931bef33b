// SPDX-License-Identifier: BSL-1.0
// The receiving half of a connection: bytes in order, those that came too early, what of a segment is new, and the
// window we offer. It is arithmetic and a buffer; it sends nothing and knows no states. `connection` asks it and acts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/stream/reassembly.hpp>
#include <optional>
#include <vector>

namespace listenq {

/// Bytes from the peer. They are kept until read; what comes out of order is held as far as `reassembly` does.
class receive_half {
 public:
  /// What of a segment is new: `size` bytes from `offset` of its payload, then its FIN if `fin`.
  struct piece {
    std::size_t offset = 0;
    std::size_t size = 0;
    bool fin = false;
  };

  /// `capacity` bytes will be held (a scale may add less than one of its units); the window moves on by at least
  /// `step` bytes, or half the capacity if that is less.
  receive_half(seq_number irs, std::uint32_t capacity, std::uint32_t step)
      : next_(irs + 1), right_(next_ + capacity), capacity_(capacity), step_(std::min(step, capacity / 2)) {}

  /// The number we expect next, and the one behind the window.
  seq_number next() const noexcept { return next_; }
  seq_number right_edge() const noexcept { return right_; }
  std::size_t available() const noexcept { return bytes_.size(); }
  bool ended() const noexcept { return ended_; }
  /// Recv-Q as `ss` shows it: a FIN that has not been read counts as one.
  std::size_t queue() const noexcept { return bytes_.size() + (ended_ && !end_read_ ? 1U : 0U); }

  /// Linux's tcp_sequence: nothing of it before what we have, nor behind the window; both edges count as inside.
  bool inside(seq_number seq, seq_number end) const noexcept {
    return !seq_before(end, next_) && !seq_after(seq, right_);
  }

  /// What of payload [first, first + size) and the FIN behind it is new and fits. Empty when it is old or comes too
  /// early.
  piece fresh(seq_number first, std::size_t size, bool fin) const noexcept {
    const std::size_t old = next_ - first;  // beyond any size when it comes too early
    if (old > size) return {};
    const std::size_t n = std::min(size - old, std::size_t{right_ - next_});
    return {old, n, fin && n == size - old};
  }

  /// Takes it, and what was held behind it. A FIN takes one number of the window, as recorded: 64240 becomes 64239.
  void take(byte_view payload, const piece& p) {
    append({payload.data + p.offset, p.size});
    if (p.fin) fin_at_ = next_;
    append(ahead_.ready(next_));
    ahead_.forget_before(next_);
    if (fin_at_ != next_) return;
    if (right_ == next_) ++right_;
    ++next_;
    ended_ = true;
  }

  /// Holds what of payload [first, first + size) and the FIN behind it came too early and fits the window; nothing when
  /// it begins at or before what is expected.
  void hold(seq_number first, byte_view payload, bool fin) {
    if (!seq_after(first, next_) || seq_after(first, right_)) return;
    const std::size_t n = std::min(payload.size, std::size_t{right_ - first});
    if (ahead_.put(next_, first, {payload.data, n}) && fin && n == payload.size) {
      fin_at_ = first + static_cast<seq_number>(n);
    }
  }

  /// Copies up to `room` bytes to `to` and forgets them. O(bytes held).
  std::size_t read(std::byte* to, std::size_t room) {
    const std::size_t n = std::min(room, bytes_.size());
    std::copy_n(bytes_.begin(), n, to);
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(n));
    if (n == 0 && ended_) end_read_ = true;
    return n;
  }

  /// The window field to send next, shifted by `shift`. The right edge never goes back, and moves on only by a step
  /// (RFC 9293 3.8.6.2.2): 13 unread bytes of 64240 leave 64227, and so does reading them.
  std::uint16_t offer(unsigned shift) noexcept {
    const std::uint32_t field = std::min(window(shift) >> shift, 0xffffU);
    if (const seq_number edge = next_ + (field << shift); seq_after(edge, right_)) right_ = edge;
    return static_cast<std::uint16_t>(field);
  }

  /// Is it worth telling the peer now that it may go on? Linux: the window was at most half open and would double.
  bool worth_update() const noexcept { return window() >= std::max(2 * (right_ - next_), 1U); }

 private:
  void append(byte_view more) {
    bytes_.insert(bytes_.end(), more.begin(), more.end());
    next_ += static_cast<seq_number>(more.size);
  }

  /// A step beyond what the peer sees: less than a unit of its scale looks like a closed window.
  std::uint32_t window(unsigned shift = 0) const noexcept {
    const std::uint32_t open = right_ - next_;
    const std::uint32_t seen = open >> shift << shift;
    const std::uint32_t room = capacity_ - std::min(capacity_, static_cast<std::uint32_t>(bytes_.size()));
    return room >= seen + step_ ? std::max(room, open) : open;
  }

  std::vector<std::byte> bytes_;  // in order, not yet read
  reassembly ahead_;
  std::optional<seq_number> fin_at_;  // the FIN's own number, once it has been seen
  seq_number next_;
  seq_number right_;
  std::uint32_t capacity_;
  std::uint32_t step_;
  bool ended_ = false;
  bool end_read_ = false;
};

}  // namespace listenq
