// SPDX-License-Identifier: BSL-1.0
// The compact layout of a request queue: a request takes 32 bytes for IPv4 and 56 for IPv6, in place of 48 and 72.
// What is kept is what every listener needs; see `compact_requests` in policy/requests.hpp for what is not.
//
// Deadlines are counted in ticks, in 28 bits: how far one lies behind the latest there ever was. That reaches 12 days;
// of a request that nobody has looked at for longer, the timer may come late by one timeout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/queue/request.hpp>
#include <listenq/time.hpp>
#include <type_traits>

namespace listenq::detail {

/// A half-open connection as it is kept. What has the name of a member of `request` is that.
template <addressing A>
struct alignas(A::words == 1 ? 32 : alignof(basic_four_tuple<A>)) compact_request {
  using addressing_type = A;
  basic_four_tuple<A> key{};
  seq_number irs = 0;
  seq_number iss = 0;
  std::uint32_t ts_recent = 0;
  std::uint16_t peer_mss = 536;
  std::uint8_t timeouts = 0;
  bool window_scaling : 1 = false;
  bool sack : 1 = false;
  bool timestamps : 1 = false;
  bool ecn : 1 = false;
  bool acked : 1 = false;
  bool unreachable : 1 = false;
  bool live : 1 = false;
  std::uint32_t send_scale : 4 = 0;
  std::uint32_t due : 28 = 0;  ///< in ticks, modulo 2^28

  constexpr bool is_live() const noexcept { return live; }
  constexpr void set_live(bool is) noexcept { live = is; }
  static constexpr bool limited(instant, duration) noexcept { return false; }
  static constexpr void age_answer(instant, duration) noexcept {}
};

/// See `whole_layout`.
template <addressing A>
class compact_layout {
 public:
  using cell = compact_request<A>;
  using stored_type = compact_request<A>;
  static constexpr duration tick = 4096;
  /// The longest timeout: half of what 28 bits can tell apart.
  static constexpr duration longest = tick << 27;

  /// The next tick, but never beyond the end of time.
  static constexpr instant rounded(instant at) noexcept { return ticks_of(at) * tick; }

  [[gnu::always_inline]] constexpr void set_deadline(cell& c, instant at) noexcept {
    std::int64_t t = ticks_of(at);
    if (t > latest_) latest_ = t;
    if (latest_ - t > all_ticks) [[unlikely]]
      t = latest_ - all_ticks;  // that long ago, and longer
    c.due = static_cast<std::uint32_t>(t) & all_ticks;
  }
  constexpr instant deadline(const cell& c) const noexcept {
    return (latest_ - ((static_cast<std::uint32_t>(latest_) - c.due) & all_ticks)) * tick;
  }

  constexpr request<A> whole(const cell& c) const noexcept {
    request<A> r;
    copy_kept(c, r);
    r.deadline = deadline(c);
    r.live = c.live;
    return r;
  }
  constexpr void put(cell& c, const request<A>& r) noexcept {
    copy_kept(r, c);
    set_deadline(c, r.deadline);
  }

  /// What `timer_lists` read.
  template <class Cells>
  struct due_times {
    struct due_time {
      instant deadline;
    };
    const compact_layout& layout;
    const Cells& cells;
    constexpr due_time operator[](std::uint32_t i) const noexcept { return {layout.deadline(cells[i])}; }
  };
  template <class Cells>
  constexpr due_times<Cells> deadlines(const Cells& cells) const noexcept {
    return {*this, cells};
  }

 private:
  /// What both have, but `live`, which is the table's.
  template <class From, class To>
  static constexpr void copy_kept(const From& from, To& to) noexcept {
    to.key = from.key;
    to.irs = from.irs;
    to.iss = from.iss;
    to.ts_recent = from.ts_recent;
    to.peer_mss = from.peer_mss;
    to.send_scale = from.send_scale & 15U;
    to.timeouts = from.timeouts;
    to.window_scaling = from.window_scaling;
    to.sack = from.sack;
    to.timestamps = from.timestamps;
    to.ecn = from.ecn;
    to.acked = from.acked;
    to.unreachable = from.unreachable;
  }
  static constexpr std::uint32_t all_ticks = (1U << 28) - 1;
  /// `at` is not before 0: division without a sign is cheaper.
  static constexpr std::int64_t ticks_of(instant at) noexcept {
    const auto t = static_cast<std::int64_t>((static_cast<std::uint64_t>(at) + (tick - 1)) / tick);
    return t > never / tick ? never / tick : t;
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
