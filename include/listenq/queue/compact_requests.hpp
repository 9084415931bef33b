// SPDX-License-Identifier: BSL-1.0
// The compact layout of a request queue: a request takes 32 bytes for IPv4 and 56 for IPv6, half of what it takes as it
// is. What is kept is what every listener needs; see `compact_requests` in policy/requests.hpp for what is not.
//
// Deadlines are counted in ticks, in 30 bits: how far one lies behind the latest there ever was. That reaches 50 days;
// of a request that nobody has looked at for longer, the timer may come late by one timeout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/queue/request.hpp>
#include <listenq/time.hpp>
#include <type_traits>

namespace listenq::detail {

/// Flags and small numbers are put together and written in one piece: bit by bit, each would wait for the one before.
template <addressing A>
class alignas(A::words == 1 ? 32 : alignof(basic_four_tuple<A>)) compact_cell {
 public:
  basic_four_tuple<A> key{};
  std::uint8_t timeouts = 0;

  static constexpr std::uint32_t all_ticks = (1U << 30) - 1;

  [[gnu::always_inline]] constexpr void put(const request<A>& r, std::uint32_t ticks) noexcept {
    key = r.key;
    timeouts = r.timeouts;
    irs_ = r.irs;
    iss_ = r.iss;
    ts_recent_ = r.ts_recent;
    peer_mss_ = r.peer_mss;
    options_ = options_of(r);
    due_ = ticks | (r.unreachable ? unreachable : 0U) | (r.live ? live : 0U);
  }
  /// What of `now` is not as in `before`, but the timeouts and the deadline.
  [[gnu::always_inline]] constexpr void put_changes(const request<A>& before, const request<A>& now) noexcept {
    ts_recent_ ^= before.ts_recent ^ now.ts_recent;
    options_ = static_cast<std::uint8_t>(options_ ^ options_of(before) ^ options_of(now));
    if (before.unreachable != now.unreachable) due_ ^= unreachable;
  }
  [[gnu::always_inline]] constexpr request<A> whole(instant deadline) const noexcept {
    request<A> r;
    r.deadline = deadline;
    r.key = key;
    r.irs = irs_;
    r.iss = iss_;
    r.ts_recent = ts_recent_;
    r.peer_mss = peer_mss_;
    r.timeouts = timeouts;
    r.window_scaling = (options_ & scale_bits) != scale_bits;
    r.send_scale = r.window_scaling ? options_ & scale_bits : std::uint8_t{0};
    r.sack = (options_ & sack) != 0;
    r.timestamps = (options_ & timestamps) != 0;
    r.ecn = (options_ & ecn) != 0;
    r.acked = (options_ & acked) != 0;
    r.unreachable = (due_ & unreachable) != 0;
    r.live = is_live();
    return r;
  }

  /// Modulo 2^30.
  constexpr std::uint32_t ticks() const noexcept { return due_ & all_ticks; }
  constexpr void set_ticks(std::uint32_t t) noexcept { due_ = (due_ & ~all_ticks) | t; }
  constexpr bool is_live() const noexcept { return (due_ & live) != 0; }
  constexpr void set_live(bool is) noexcept { due_ = is ? due_ | live : due_ & ~live; }

 private:
  enum option : std::uint8_t { scale_bits = 15, sack = 16, timestamps = 32, ecn = 64, acked = 128 };
  static constexpr std::uint32_t unreachable = 1U << 30, live = 1U << 31;

  [[gnu::always_inline]] static constexpr std::uint8_t options_of(const request<A>& r) noexcept {
    return static_cast<std::uint8_t>((r.window_scaling ? r.send_scale & scale_bits : scale_bits) | (r.sack ? sack : 0) |
                                     (r.timestamps ? timestamps : 0) | (r.ecn ? ecn : 0) | (r.acked ? acked : 0));
  }

  std::uint8_t options_ = scale_bits;  ///< all scale bits: no window scaling
  std::uint16_t peer_mss_ = 536;
  seq_number irs_ = 0;
  seq_number iss_ = 0;
  std::uint32_t ts_recent_ = 0;
  std::uint32_t due_ = 0;
};

/// A stored request, to be changed: the changes, and nothing else, go back into its cell, which may have been changed
/// otherwise meanwhile. Of its timeouts and its deadline only the queue knows the truth.
template <addressing A>
class lent_request : public request<A> {
 public:
  [[gnu::always_inline]] constexpr lent_request(compact_cell<A>& c, instant due) noexcept
      : request<A>{c.whole(due)}, before_{*this}, cell_{c} {}
  lent_request(const lent_request&) = delete;
  lent_request& operator=(const lent_request&) = delete;
  [[gnu::always_inline]] constexpr ~lent_request() { cell_.put_changes(before_, *this); }

 private:
  const request<A> before_;
  compact_cell<A>& cell_;
};

/// See `whole_layout`.
template <addressing A>
class compact_layout {
 public:
  using cell = compact_cell<A>;
  static constexpr duration tick = 4096;
  /// The longest timeout. Half of what 30 bits can tell apart.
  static constexpr duration longest = tick << 29;

  /// The next tick, but never beyond the end of time.
  static constexpr instant rounded(instant at) noexcept { return ticks_of(at) * tick; }

  [[gnu::always_inline]] constexpr lent_request<A> lend(cell& c) const noexcept { return {c, deadline_of(c)}; }
  [[gnu::always_inline]] constexpr request<A> look(const cell& c) const noexcept { return c.whole(deadline_of(c)); }
  static constexpr request<A> blank(cell&) noexcept { return {}; }
  [[gnu::always_inline]] constexpr void put_blank(cell& c, const request<A>& r) noexcept { put(c, r); }
  [[gnu::always_inline]] constexpr void put(cell& c, const request<A>& r) noexcept { c.put(r, kept(r.deadline)); }
  [[gnu::always_inline]] constexpr void set_deadline(cell& c, instant at) noexcept { c.set_ticks(kept(at)); }
  constexpr instant deadline_of(const cell& c) const noexcept {
    return (latest_ - ((static_cast<std::uint32_t>(latest_) - c.ticks()) & cell::all_ticks)) * tick;
  }

  /// What `timer_lists` read.
  template <class Cells>
  struct due_times {
    struct due_time {
      instant deadline;
    };
    const compact_layout& layout;
    const Cells& cells;
    constexpr due_time operator[](std::uint32_t i) const noexcept { return {layout.deadline_of(cells[i])}; }
  };
  template <class Cells>
  constexpr due_times<Cells> deadlines(const Cells& cells) const noexcept {
    return {*this, cells};
  }

 private:
  static constexpr std::int64_t ticks_of(instant at) noexcept {
    const std::int64_t t = at / tick + (at % tick != 0);
    return t > never / tick ? never / tick : t;
  }
  [[gnu::always_inline]] constexpr std::uint32_t kept(instant deadline) noexcept {
    std::int64_t t = ticks_of(deadline);
    if (t > latest_) latest_ = t;
    if (latest_ - t > cell::all_ticks) [[unlikely]]
      t = latest_ - cell::all_ticks;  // that long ago, and longer
    return static_cast<std::uint32_t>(t) & cell::all_ticks;
  }
  std::int64_t latest_ = 0;
};

/// Can a compact request wait as long as this schedule has it wait?
template <class Schedule>
constexpr bool waits_at_most(duration longest) noexcept {
  for (std::uint32_t n = 0; n < Schedule::classes; ++n) {
    if (Schedule::timeout(n) > longest) return false;
  }
  return true;
}

/// Stands in for a pointer to a request where no request lies in memory as it is.
template <class Request>
class request_copy {
 public:
  constexpr request_copy(std::nullptr_t) noexcept {}
  constexpr request_copy(const Request& r) noexcept : request_{r}, any_{true} {}
  constexpr const Request& operator*() const noexcept { return request_; }
  constexpr const Request* operator->() const noexcept { return &request_; }
  constexpr explicit operator bool() const noexcept { return any_; }
  friend constexpr bool operator==(const request_copy& c, std::nullptr_t) noexcept { return !c.any_; }

 private:
  Request request_{};
  bool any_ = false;
};
template <class Request, bool Compact>
using found_request = std::conditional_t<Compact, request_copy<Request>, const Request*>;

}  // namespace listenq::detail
