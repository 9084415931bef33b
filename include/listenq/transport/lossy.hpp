// SPDX-License-Identifier: BSL-1.0
// A transport around another that loses, repeats, reorders and delays segments, the same way for the same seed.
// It is not a link with bandwidth and queues, and it reads no clock: time comes in through `release(now)`.
// "Corrupt" means lost too: a receiver's checksum would make a damaged segment vanish. It is counted apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/time.hpp>
#include <listenq/transport/concept.hpp>
#include <listenq/transport/splitmix64.hpp>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace listenq {

/// How likely a segment meets a fault. Probabilities are 0..1, in steps of 1/65536; below 0 and NaN count as 0,
/// above 1 as 1. Each fault is drawn on its own: raising one rate leaves the other faults where they were.
struct fault_rates {
  double drop = 0;
  double corrupt = 0;    ///< vanishes like a drop
  double duplicate = 0;  ///< arrives twice
  double reorder = 0;    ///< 1..`reorder_by` later segments overtake it
  double delay = 0;      ///< is held for `delay_min`..`delay_max` microseconds; wins over `reorder`
  unsigned reorder_by = 3;
  duration delay_min = 0;
  duration delay_max = 100 * millisecond;  ///< below `delay_min`: as `delay_min`
};

/// What happened to segments in one direction. `offered + duplicated = passed + dropped + corrupted + held`.
struct fault_counts {
  std::uint64_t offered = 0;
  std::uint64_t passed = 0;  ///< came out, duplicates and the late ones included
  std::uint64_t dropped = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t duplicated = 0;  ///< extra copies
  std::uint64_t reordered = 0;
  std::uint64_t delayed = 0;
  friend constexpr bool operator==(const fault_counts&, const fault_counts&) = default;
};

/// Models `transport`. `lossy(inner, ...)` refers to an inner transport that is an lvalue and owns one that is not.
///
/// - A reordered segment waits until enough others passed it, until `release` brings a later time, or (inbound) until
///   the inner transport has nothing more to give: what nobody overtakes is only late.
/// - A held segment's bytes are copied, so it outlives its payload's owner.
/// - A `send` that meets a fault answers `sent`. An inner transport that is not writable answers for itself, unfaulted.
template <class T>
requires transport<std::remove_reference_t<T>>
class lossy {
 public:
  using addressing_type = typename std::remove_reference_t<T>::addressing_type;
  using segment_type = basic_segment<addressing_type>;

  /// `in` is for what we receive, `out` for what we send.
  lossy(T&& inner, fault_rates in, fault_rates out, std::uint64_t seed)
      : inner_(std::forward<T>(inner)), in_(in, splitmix64{seed}.next()), out_(out, splitmix64{~seed}.next()) {}

  /// The next segment that survives. Its payload is valid until the next `receive()`.
  std::optional<segment_type> receive() {
    while (true) {
      if (in_.take_ready(now_, current_)) return current_.view();
      const std::optional<segment_type> s = inner_.receive();
      if (!s) {
        if (!in_.hurry()) return std::nullopt;
      } else if (in_.offer(*s, now_)) {
        in_.passed_by();
        return s;
      }
    }
  }

  send_result send(const segment_type& s) {
    if (!inner_.writable()) return inner_.send(s);
    send_result result = send_result::sent;
    if (out_.offer(s, now_)) {
      result = inner_.send(s);
      if (result == send_result::sent) {
        out_.passed_by();
      } else {
        --out_.counts.passed;  // it was not taken after all
        --out_.counts.offered;
      }
    }
    drain();
    return result;
  }

  bool writable() const { return inner_.writable(); }
  transport_limits limits() const { return inner_.limits(); }
  /// ICMP errors pass as they come, where the inner transport hears of any.
  template <class F>
  void on_error(F&& f) requires requires(T& t) {
    t.on_error(std::forward<F>(f));
  }
  { inner_.on_error(std::forward<F>(f)); }

  /// It is `now` (an earlier one than before counts as no time passed): what is due becomes receivable, or is sent.
  void release(instant now) {
    if (now > now_) now_ = now;
    drain();
  }

  /// When `release` next has something to do; `never` when nothing is held.
  instant next_deadline() const noexcept { return in_.due() < out_.due() ? in_.due() : out_.due(); }

  const fault_counts& received() const noexcept { return in_.counts; }
  const fault_counts& sent() const noexcept { return out_.counts; }
  /// Segments held back at this moment, both directions.
  std::size_t held() const noexcept { return in_.held.size() + out_.held.size(); }
  std::remove_reference_t<T>& inner() noexcept { return inner_; }

 private:
  static constexpr unsigned by_time_only = std::numeric_limits<unsigned>::max();

  struct held_segment {
    segment_type segment{};
    std::vector<std::byte> bytes{};
    instant due = 0;
    unsigned overtakers = 0;  // still to come; 0: ready, by_time_only: does not count them

    segment_type view() const noexcept {
      segment_type s = segment;
      s.payload = {bytes.data(), bytes.size()};
      return s;
    }
    bool ready(instant now) const noexcept { return overtakers == 0 || due <= now; }
  };

  // One direction.
  struct lane {
    lane(const fault_rates& r, std::uint64_t seed) : rates(r), random{seed} {}
    // Decides the fate of `s`. True: it passes now.
    bool offer(const segment_type& s, instant now) {
      const std::uint64_t faults = random.next();
      const std::uint64_t amount = random.next();
      const auto hit = [](std::uint64_t die, double rate) {
        if (!(rate > 0)) return false;
        return (die & 0xffff) < (rate >= 1 ? 65536U : static_cast<unsigned>(rate * 65536));
      };
      ++counts.offered;
      if (hit(faults, rates.drop)) {
        ++counts.dropped;
        return false;
      }
      if (hit(faults >> 16, rates.corrupt)) {
        ++counts.corrupted;
        return false;
      }
      if (hit(faults >> 32, rates.duplicate)) {
        ++counts.duplicated;
        hold(s, now, 0);
      }
      if (hit(amount, rates.delay)) {
        ++counts.delayed;
        const duration least = rates.delay_min > 0 ? rates.delay_min : 0;
        const std::uint64_t spread = rates.delay_max > least ? static_cast<std::uint64_t>(rates.delay_max - least) : 0;
        hold(s, after(now, after(least, static_cast<duration>((amount >> 16) % (spread + 1)))), by_time_only);
        return false;
      }
      if (hit(faults >> 48, rates.reorder) && rates.reorder_by != 0) {
        ++counts.reordered;
        hold(s, after(now, 1), 1 + static_cast<unsigned>((amount >> 16) % rates.reorder_by));
        return false;
      }
      ++counts.passed;
      return true;
    }

    void hold(const segment_type& s, instant due, unsigned overtakers) {
      held_segment h{s, {}, due, overtakers};
      h.bytes.assign(s.payload.begin(), s.payload.end());
      held.push_back(std::move(h));
    }

    // A segment came straight through: it overtook all that count overtakers.
    void passed_by() {
      for (held_segment& h : held) {
        if (h.overtakers != 0 && h.overtakers != by_time_only) --h.overtakers;
      }
    }

    auto first_ready(instant now) {
      auto best = held.end();
      for (auto h = held.begin(); h != held.end(); ++h) {
        if (h->ready(now) && (best == held.end() || h->due < best->due)) best = h;
      }
      return best;
    }
    bool take_ready(instant now, held_segment& into) {
      const auto h = first_ready(now);
      if (h == held.end()) return false;
      into = std::move(*h);
      held.erase(h);
      ++counts.passed;
      return true;
    }
    // Nobody is left to overtake: makes the oldest one that waits for it ready.
    bool hurry() {
      for (held_segment& h : held) {
        if (h.overtakers == by_time_only) continue;
        h.overtakers = 0;
        return true;
      }
      return false;
    }
    instant due() const noexcept {
      instant first = never;
      for (const held_segment& h : held) first = h.due < first ? h.due : first;
      return first;
    }

    fault_rates rates;
    splitmix64 random;
    fault_counts counts{};
    std::deque<held_segment> held{};
  };

  void drain() {
    while (inner_.writable()) {
      const auto h = out_.first_ready(now_);
      if (h == out_.held.end() || inner_.send(h->view()) == send_result::later) return;
      out_.held.erase(h);
      ++out_.counts.passed;
    }
  }

  T inner_;
  lane in_;
  lane out_;
  held_segment current_{};
  instant now_ = 0;
};

template <class T>
lossy(T&&, fault_rates, fault_rates, std::uint64_t) -> lossy<T>;

}  // namespace listenq
