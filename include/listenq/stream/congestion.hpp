// SPDX-License-Identifier: BSL-1.0
// How much may be in flight, and when the first segment of it counts as lost: slow start, congestion avoidance, fast
// retransmit and fast recovery (RFC 5681, RFC 6582) with an initial window of ten segments (RFC 6928).
// It is arithmetic on ACKs: it reads no SACK blocks, measures no time and sends nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <listenq/segment.hpp>

namespace listenq {

/// The congestion window of one connection. All sizes are bytes.
class congestion {
 public:
  /// `mss`: the payload of a full segment, at least 1.
  constexpr explicit congestion(std::uint32_t mss) noexcept : mss_(mss), window_(initial(mss)) {}

  /// Ten segments, or two of more than 7300 bytes (RFC 6928 2).
  static constexpr std::uint32_t initial(std::uint32_t mss) noexcept {
    return std::min(10 * mss, std::max(2 * mss, 14600U));
  }

  /// May be in flight. The first two duplicate ACKs allow a new segment each (RFC 3042).
  constexpr std::uint32_t window() const noexcept { return window_ + std::min(duplicates_, 2U) * mss_; }
  constexpr std::uint32_t threshold() const noexcept { return threshold_; }
  /// Something is lost and not yet repaired.
  constexpr bool recovering() const noexcept { return phase_ != phase::open; }

  /// The peer has everything before `ack`, `acked` bytes more than before; `flight` are still on their way. True: the
  /// first of them is lost, too, and is to be sent again.
  constexpr bool advanced(seq_number ack, std::uint32_t acked, std::uint32_t flight) noexcept {
    duplicates_ = 0;
    if (phase_ == phase::open) {
      grow(acked);
      return false;
    }
    const bool repaired = flight == 0 || !seq_before(ack, recover_);
    if (phase_ == phase::fast) {
      if (repaired) {  // RFC 6582 3.2 (3): no burst
        window_ = std::min(threshold_, std::max(flight, mss_) + mss_);
      } else {
        window_ -= std::min(acked, window_ - mss_);
        if (acked >= mss_) window_ += mss_;
      }
    } else {
      grow(acked);
    }
    if (repaired) phase_ = phase::open;
    return !repaired;
  }

  /// An ACK that repeats `una` (RFC 5681 2). `next`: what would be sent next; `probed`: the last segment in flight has
  /// been sent again to find out, so that one such ACK says enough. True: the first segment in flight is to be sent
  /// again.
  constexpr bool duplicate(seq_number una, seq_number next, bool probed = false) noexcept {
    if (phase_ == phase::fast) window_ = std::min(window_ + mss_, largest);
    if (phase_ != phase::open) return false;
    if (++duplicates_ != 3 && !probed) return false;
    // RFC 6582 3.2 (2): not for what a timeout has sent twice.
    if (lost_before_ && seq_before(una, recover_)) return false;
    lose(next, next - una);
    window_ = threshold_ + 3 * mss_;
    phase_ = phase::fast;
    return true;
  }

  /// The timer went off with all between `una` and `next` in flight; `again`: for the same segment as the last time.
  constexpr void timed_out(seq_number una, seq_number next, bool again) noexcept {
    const std::uint32_t kept = threshold_;
    lose(next, next - una);
    if (again) threshold_ = kept;  // RFC 5681 3.1: held constant
    window_ = mss_;
    phase_ = phase::slow;
  }

  /// Nothing was sent for longer than a timeout: what was learnt is stale (RFC 5681 4.1).
  constexpr void idle() noexcept { window_ = std::min(window_, initial(mss_)); }

 private:
  enum class phase : unsigned char { open, fast, slow };  // slow: after a timeout
  static constexpr std::uint32_t largest = 1U << 30;

  constexpr void lose(seq_number next, std::uint32_t flight) noexcept {
    threshold_ = std::max(flight / 2, 2 * mss_);
    recover_ = next;
    lost_before_ = true;
    duplicates_ = 0;
    counted_ = 0;
  }

  constexpr void grow(std::uint32_t acked) noexcept {
    if (window_ < threshold_) {
      window_ = std::min(window_ + std::min(acked, mss_), largest);
      return;
    }
    counted_ += acked;
    if (counted_ < window_) return;
    counted_ -= window_;
    window_ = std::min(window_ + mss_, largest);
  }

  std::uint32_t mss_;
  std::uint32_t window_;
  std::uint32_t threshold_ = largest;
  std::uint32_t counted_{};       // bytes acknowledged in congestion avoidance, towards the next segment
  std::uint32_t duplicates_ = 0;  // none but in phase `open`
  seq_number recover_{};          // end of the flight that lost something
  phase phase_ = phase::open;
  bool lost_before_ = false;
};

}  // namespace listenq
