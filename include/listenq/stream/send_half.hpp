// SPDX-License-Identifier: BSL-1.0
// The sending half of a connection: bytes not yet acknowledged, the FIN behind them, and the peer's window.
// It decides what may be sent and remembers what was; when to send it again is `repeat_timer`'s business.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <listenq/segment.hpp>
#include <optional>
#include <vector>

namespace listenq {

/// Bytes for the peer. Before the handshake's end (`open`) they wait.
class send_half {
 public:
  static constexpr std::size_t capacity = 65536;  ///< bytes held, acknowledged ones not counted

  /// A segment's worth: `size` bytes from `offset` of what is held, then the FIN if `fin`.
  struct piece {
    std::size_t offset = 0;
    std::size_t size = 0;
    bool fin = false;
    bool last = false;  ///< nothing is held behind it
  };

  /// `window` is that of the peer's SYN; `mss` the payload of a full segment.
  send_half(seq_number iss, seq_number irs, std::uint32_t window, std::uint32_t mss)
      : base_(iss + 1), una_(iss), next_(base_), wl1_(irs), window_(window), max_window_(window), mss_(mss) {}

  /// The oldest number not acknowledged, and the next one to send.
  seq_number unacknowledged() const noexcept { return una_; }
  seq_number next() const noexcept { return next_; }
  std::uint32_t in_flight() const noexcept { return next_ - una_; }
  std::uint32_t window() const noexcept { return window_; }
  std::uint32_t max_window() const noexcept { return max_window_; }
  bool has_unsent() const noexcept { return next_ - base_ < bytes_.size(); }
  bool fin_queued() const noexcept { return fin_queued_; }
  bool fin_acked() const noexcept { return fin_sent_ && una_ == next_; }
  /// Send-Q as `ss` shows it: bytes and FIN that the peer has not acknowledged, sent or not.
  std::size_t queue() const noexcept { return bytes_.size() + (fin_queued_ && !fin_acked() ? 1U : 0U); }

  /// The peer has acknowledged our SYN.
  void open() noexcept { una_ = base_; }

  /// Takes what fits; returns how many bytes that is.
  std::size_t put(byte_view bytes) {
    const std::size_t n = std::min(bytes.size, capacity - std::min(capacity, bytes_.size()));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.begin() + n);
    return n;
  }
  void put_fin() noexcept { fin_queued_ = true; }

  /// What to send next, if anything new may be sent while at most `limit` bytes are in flight: a full segment, all
  /// there is, or (nothing being in flight) what the peer's window allows - no silly pieces (RFC 9293 3.8.6.2.1). The
  /// FIN needs no window.
  std::optional<piece> fresh(std::uint32_t limit = 0xffffffffU) const noexcept {
    if (fin_sent_) return std::nullopt;
    const std::size_t offset = next_ - base_;
    const std::size_t left = bytes_.size() - offset;
    const std::uint32_t most = std::min(window_, limit);
    const std::size_t usable = most - std::min(most, in_flight());
    const std::size_t n = std::min({left, usable, std::size_t{mss_}});
    const bool fin = fin_queued_ && n == left;
    if (n == 0 && !fin) return std::nullopt;
    if (n < left && n < mss_ && in_flight() > 0) return std::nullopt;
    return piece{offset, n, fin, n == left};
  }
  void sent(const piece& p) noexcept {
    next_ += static_cast<seq_number>(p.size) + (p.fin ? 1U : 0U);
    fin_sent_ = p.fin;
  }

  /// The first segment of what is in flight, or the last.
  piece again(bool tail) const noexcept {
    const std::size_t flight = in_flight() - (fin_sent_ ? 1U : 0U);
    const std::size_t size = std::min(flight, std::size_t{mss_});
    const std::size_t offset = tail ? flight - size : 0;
    return {offset, size, fin_sent_ && offset + size == flight, offset + size == bytes_.size()};
  }

  /// Is what is in flight one segment's worth?
  bool alone() const noexcept { return in_flight() <= mss_; }

  seq_number seq_of(const piece& p) const noexcept { return base_ + static_cast<seq_number>(p.offset); }
  byte_view bytes_of(const piece& p) const noexcept { return {bytes_.data() + p.offset, p.size}; }

  /// The peer has everything before `ack`, which lies within what is in flight. O(bytes held).
  void acknowledged(seq_number ack) {
    const std::size_t n = std::min<std::size_t>(ack - base_, bytes_.size());
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(n));
    base_ += static_cast<seq_number>(n);
    una_ = ack;
  }

  /// The window of an acceptable segment that begins at `seq`, before what it acknowledges is taken off. An older
  /// segment's does not count (RFC 9293 3.10.7.4), unless it acknowledges something new: a window is counted from
  /// there, and the last one would reach beyond what the peer has offered (Linux, tcp_may_update_window).
  void offered(seq_number seq, seq_number ack, std::uint32_t window) noexcept {
    if (seq_before(seq, wl1_) && !seq_after(ack, una_)) return;
    wl1_ = seq;
    window_ = window;
    max_window_ = std::max(max_window_, window);
  }

 private:
  std::vector<std::byte> bytes_;  // from `base_` on: in flight, then not yet sent
  seq_number base_;
  seq_number una_;
  seq_number next_;
  seq_number wl1_;
  std::uint32_t window_;
  std::uint32_t max_window_;
  std::uint32_t mss_;
  bool fin_queued_ = false;
  bool fin_sent_ = false;
};

}  // namespace listenq
