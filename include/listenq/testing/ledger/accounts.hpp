// SPDX-License-Identifier: BSL-1.0
// The accounts of a ledger: how many requests and connections came and went, and what the counters must say of that.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/outcome.hpp>
#include <listenq/policy/counters.hpp>
#include <listenq/segment.hpp>
#include <listenq/testing/invariants.hpp>
#include <listenq/testing/ledger/meaning.hpp>

namespace listenq::testing::detail {

struct accounts {
  counter_values start{};       ///< what was counted when the books were opened
  std::uint64_t admitted = 0;   ///< requests that came
  std::uint64_t left = 0;       ///< requests that went, by what the records say
  std::uint64_t connected = 0;  ///< connections that came
  std::uint64_t accepted = 0;   ///< of these, by the application
  std::uint64_t killed = 0;     ///< of these, by close
  std::uint64_t made = 0;       ///< children
  std::uint64_t acks = 0;       ///< segments with ACK
  std::uint64_t cookies = 0;    ///< that were sent
  std::uint64_t floods = 0;     ///< SYNs at which a cookie was wanted

  /// What a segment brings, and what the counters will say of it.
  constexpr void received(flags f, const outcome& o) noexcept {
    const meaning m = meaning_of(o.verdict);
    admitted += m.enters ? 1U : 0U;
    connected += m.waits ? 1U : 0U;
    made += m.waits || o.verdict == verdict::cookie_in_vain ? 1U : 0U;
    acks += f.has(flag::ack) ? 1U : 0U;
    cookies += o.verdict == verdict::cookie_sent ? 1U : 0U;
    floods += o.stages.has(stage::cookie_wanted) ? 1U : 0U;
  }
  /// What came in = what went out + what is there; calls `f(invariant)` where it is not.
  template <class L, class F>
  void balance(const L& l, const expectations& e, F&& f) const {
    const auto expect = [&f](bool holds, invariant i) {
      if (!holds) f(i);
    };
    expect(admitted == left + l.request_count(), invariant::requests_conserved);
    expect(connected == accepted + killed + l.accept_count(), invariant::connections_conserved);
    if (e.counts && std::convertible_to<decltype(l.counters()), counter_values>) {
      const counter_values c = linux_counts_of(l);
      expect(c.passive_opens - start.passive_opens == made, invariant::passive_opens_are_children);
      expect(c.syncookies_sent - start.syncookies_sent == cookies &&
                 c.syncookies_recv - start.syncookies_recv <= acks &&
                 (!e.counts_cookies || c.req_q_full_do_cookies - start.req_q_full_do_cookies == floods),
             invariant::cookies_add_up);
    }
  }
};

}  // namespace listenq::testing::detail
