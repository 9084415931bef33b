// SPDX-License-Identifier: BSL-1.0
// Windows: for how long after what an ACK without a request is tried as a cookie at all. A listener that has sent no
// cookie lately answers a stray ACK without a look at it, so that nobody can guess cookies at leisure.
//
// When to use which: the codec names its system's own. `after_cookie<d>` (Linux), `after_bucket_overflow<d>` (FreeBSD:
// only where requests were lost), `while_request_full` (gVisor), `any_time` where every SYN gets a cookie.
#pragma once

#include <concepts>
#include <listenq/time.hpp>

namespace listenq {

/// What a window is judged by.
struct window_facts {
  instant now = 0;
  instant bucket_overflow = -never;  ///< when the peer's bucket was last found full; long ago where there are none
  bool request_full = false;
};

/// `open(facts)`: is an ACK tried? `sent(now)` is told of every cookie, `reset()` of a new listen(), `learn(other)` of
/// what a sibling has sent (a group of listeners has one stamp).
template <class W>
concept cookie_window = std::default_initializable<W> && requires(W& w, const W& c, const window_facts& f) {
  { c.open(f) } -> std::same_as<bool>;
  w.sent(f.now);
  w.reset();
  w.learn(c);
  { W::needs_buckets } -> std::convertible_to<bool>;
};

/// Up to `Length` after a cookie, that instant included. The stamp is renewed by a cookie only when it is older than
/// `Step` (Linux, tcp_synq_overflow and tcp_synq_no_recent_overflow: 3 s and 0 up to 3.12, 120 s and 1 s in 6.18).
template <duration Length, duration Step = 0>
struct after_cookie {
  static_assert(Length > 0 && Step >= 0, "listenq: after_cookie<length, step> needs a length above 0.");
  static constexpr const char* name = "after_cookie";
  static constexpr duration length = Length;
  static constexpr duration step = Step;
  static constexpr bool needs_buckets = false;

  constexpr bool open(const window_facts& f) const noexcept { return f.now <= after(stamp_, Length); }
  constexpr void sent(instant now) noexcept {
    if (now > after(stamp_, Step)) stamp_ = now;
  }
  constexpr void reset() noexcept { stamp_ = -never; }
  constexpr void learn(const after_cookie& other) noexcept { stamp_ = other.stamp_ > stamp_ ? other.stamp_ : stamp_; }

 private:
  instant stamp_ = -never;
};

/// Up to `Length` after a request of the same bucket was evicted, that instant included (FreeBSD 13, syncache_expand:
/// 15 s; it counts whole seconds).
template <duration Length>
struct after_bucket_overflow {
  static_assert(Length > 0, "listenq: after_bucket_overflow<length> needs a length above 0.");
  static constexpr const char* name = "after_bucket_overflow";
  static constexpr duration length = Length;
  static constexpr bool needs_buckets = true;

  static constexpr bool open(const window_facts& f) noexcept { return f.now <= after(f.bucket_overflow, Length); }
  static constexpr void sent(instant) noexcept {}
  static constexpr void reset() noexcept {}
  static constexpr void learn(const after_bucket_overflow&) noexcept {}
};

/// As long as the next SYN would get a cookie, too (gVisor, synCookiesInUse).
struct while_request_full {
  static constexpr const char* name = "while_request_full";
  static constexpr bool needs_buckets = false;
  static constexpr bool open(const window_facts& f) noexcept { return f.request_full; }
  static constexpr void sent(instant) noexcept {}
  static constexpr void reset() noexcept {}
  static constexpr void learn(const while_request_full&) noexcept {}
};

/// Always.
struct any_time {
  static constexpr const char* name = "any_time";
  static constexpr bool needs_buckets = false;
  static constexpr bool open(const window_facts&) noexcept { return true; }
  static constexpr void sent(instant) noexcept {}
  static constexpr void reset() noexcept {}
  static constexpr void learn(const any_time&) noexcept {}
};

}  // namespace listenq
