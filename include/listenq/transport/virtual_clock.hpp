// SPDX-License-Identifier: BSL-1.0
// A clock that moves from event to event: deliveries, which its owner handles, and timers, which call back. It is the
// order of things in a simulation, and nothing else: it knows no segments and draws no random numbers.
//
// Order, completely: by instant; at one instant first the deliveries in the order they were scheduled, then the timers,
// the one armed last first (`newest_first`) or in the order they were armed. What an event adds at its own instant
// takes its place in that order among those still to come.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <listenq/time.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace listenq {

/// Names a timer. A default one names none; a used one never comes back.
struct timer_id {
  std::uint32_t slot = 0;
  std::uint64_t serial = 0;
  friend bool operator==(const timer_id&, const timer_id&) = default;
};

/// Events cost O(log pending).
class virtual_clock {
 public:
  using callback = std::function<void()>;

  virtual_clock(instant start, tie_order ties) : ties_(ties), now_(start) {}

  instant now() const noexcept { return now_; }
  bool idle() const noexcept { return heap_.empty(); }

  /// Hands `slot` to the owner at `when`.
  void deliver_at(instant when, std::uint32_t slot) {
    const std::uint64_t serial = ++serial_;
    schedule({when, serial, serial, slot});
  }

  /// Calls `f` at `when`, or as soon as possible if that is past.
  timer_id at(instant when, callback f) {
    const std::uint64_t serial = ++serial_;
    std::uint32_t slot = 0;
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(timers_.size());
      timers_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    timers_[slot] = {serial, std::move(f)};
    const std::uint64_t order = ties_ == tie_order::newest_first ? timer_bit - 1 - serial : serial;
    schedule({std::max(when, now_), timer_bit | order, serial, slot});
    return {slot, serial};
  }

  /// True if the timer was still to come; it will not be called.
  bool cancel(timer_id id) {
    if (id.serial == 0 || timers_[id.slot].serial != id.serial) return false;
    release(id.slot);
    if (++cancelled_ > 1024 && cancelled_ > heap_.size() / 2) compact();
    return true;
  }

  /// When the next event is due; nothing when idle. O(1), amortized with cancelled timers.
  std::optional<instant> next_event() {
    drop_cancelled();
    if (heap_.empty()) return std::nullopt;
    return heap_.front().at;
  }

  /// Moves to the next event: calls its timer, or `deliver(slot)`. False when there is none.
  template <class Deliver>
  bool step(Deliver&& deliver) {
    drop_cancelled();
    if (heap_.empty()) return false;
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const event e = heap_.back();
    heap_.pop_back();
    now_ = e.at;
    if (e.key < timer_bit) {
      deliver(e.slot);
    } else {
      const callback f = std::move(timers_[e.slot].f);
      release(e.slot);
      f();
    }
    return true;
  }

  /// Moves on to `when`, if that is not past. There must be no event before it.
  void advance(instant when) noexcept { now_ = std::max(now_, when); }

 private:
  struct timer {
    std::uint64_t serial = 0;  // 0: free
    callback f;
  };
  struct event {
    instant at;
    std::uint64_t key;  // order at one instant: the serial of a delivery; above `timer_bit`, of a timer
    std::uint64_t serial;
    std::uint32_t slot;
  };
  static constexpr std::uint64_t timer_bit = 1ULL << 63;

  static bool later(const event& a, const event& b) noexcept { return a.at != b.at ? a.at > b.at : a.key > b.key; }
  void schedule(const event& e) {
    heap_.push_back(e);
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  bool cancelled(const event& e) const noexcept { return e.key >= timer_bit && timers_[e.slot].serial != e.serial; }
  void drop_cancelled() {
    while (!heap_.empty() && cancelled(heap_.front())) {
      std::pop_heap(heap_.begin(), heap_.end(), later);
      heap_.pop_back();
      --cancelled_;
    }
  }
  void compact() {
    std::erase_if(heap_, [this](const event& e) { return cancelled(e); });
    std::make_heap(heap_.begin(), heap_.end(), later);
    cancelled_ = 0;
  }
  void release(std::uint32_t slot) {
    timers_[slot] = {};
    free_.push_back(slot);
  }

  tie_order ties_;
  instant now_;
  std::vector<event> heap_;
  std::vector<timer> timers_;
  std::vector<std::uint32_t> free_;
  std::uint64_t serial_ = 0;
  std::size_t cancelled_ = 0;
};

}  // namespace listenq
