// SPDX-License-Identifier: BSL-1.0
// The earliest of many deadlines that move all the time: one for each numbered thing, in a heap that is tidied only
// when its top is looked at. Putting a deadline off costs nothing; it calls nobody and reads no clock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <listenq/time.hpp>
#include <optional>
#include <vector>

namespace listenq {

/// Things are numbered from 0, densely: memory is proportional to the largest number.
class deadlines {
 public:
  /// Thing `i` is due at `at`; nothing: not at all. O(1) when that is later than before, else O(log n).
  void set(std::uint32_t i, std::optional<instant> at) {
    if (i >= things_.size()) things_.resize(i + std::size_t{1});
    thing& t = things_[i];
    t.due = at.value_or(never);
    if (t.due < t.queued) push(i, t);
  }

  /// The earliest deadline. Amortized O(log n).
  std::optional<instant> next() {
    while (!heap_.empty()) {
      const event top = heap_.front();
      thing& t = things_[top.thing];
      if (t.queued == top.at && t.due == top.at) return top.at;
      pop();
      if (t.queued != top.at) continue;  // it has been put earlier since
      t.queued = never;
      if (t.due != never) push(top.thing, t);
    }
    return std::nullopt;
  }

  /// One thing that is due at `now`, which has no deadline from then on; nothing when none is. In order of deadlines.
  std::optional<std::uint32_t> take_due(instant now) {
    const std::optional<instant> at = next();
    if (!at || *at > now) return std::nullopt;
    const std::uint32_t i = heap_.front().thing;
    pop();
    things_[i] = {};
    return i;
  }

 private:
  struct thing {
    instant due = never;
    instant queued = never;  // of its one event that counts
  };
  struct event {
    instant at;
    std::uint32_t thing;
  };
  static bool later(const event& a, const event& b) noexcept { return a.at > b.at; }
  void push(std::uint32_t i, thing& t) {
    t.queued = t.due;
    heap_.push_back({t.due, i});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  void pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    heap_.pop_back();
  }

  std::vector<thing> things_;
  std::vector<event> heap_;
};

}  // namespace listenq
