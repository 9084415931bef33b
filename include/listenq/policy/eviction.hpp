// SPDX-License-Identifier: BSL-1.0
// eviction: models of `request_full` and `accept_full_at_syn` that let another request make room for the newcomer.
// They say which kind of request goes; the queue finds it. Whoever is evicted hears nothing unless `told<...>` says so.
//
// When to use which, for a full queue of L, R bogus SYNs a second and an honest peer whose ACK takes t seconds:
//   `drop` ............... the newcomer loses; it gets in with probability L / (R x lifetime), then it is safe
//   `evict_oldest` ....... safe while R t < L, lost beyond (a cliff); 8 bytes a request
//   `evict_random` ....... survives with ((L - 1) / L)^(R t): worse below the cliff, better beyond; no bytes
//   `evict_in_bucket` .... FreeBSD's and NetBSD's bucket rule: only its own bucket can hurt a peer; needs a syncache
//   `evict_most_retried` . who has been asked most often in vain goes first; no bytes; needs exact timers
// (NANOG 1996, "SYN flooding drop policies"; tests/eviction_math.cpp holds the listener against these numbers.)
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/policy/overflow.hpp>

namespace listenq {

namespace detail {
/// Always the same eviction.
template <syn_answer Answer>
struct always_evicts {
  static constexpr syn_answers evictions{Answer};
  static constexpr syn_answer on_request_full(const overflow_facts&) noexcept { return Answer; }
  static constexpr syn_answer on_accept_full(const overflow_facts&) noexcept { return Answer; }
};
}  // namespace detail

/// The request that was stored first makes room. Costs 8 bytes a request, to know which one that is (IncludeOS,
/// listener.cpp).
struct evict_oldest : detail::always_evicts<syn_answer::evict_oldest> {
  static constexpr const char* name = "evict_oldest";
};

/// Any request makes room, chosen by the listener's own key stream, so that nobody without the key can aim (IRIX 6.3).
struct evict_random : detail::always_evicts<syn_answer::evict_random> {
  static constexpr const char* name = "evict_random";
};

/// The request with the most timeouts makes room; of several, the one that is due first.
struct evict_most_retried : detail::always_evicts<syn_answer::evict_most_retried> {
  static constexpr const char* name = "evict_most_retried";
};

/// The oldest in the newcomer's bucket makes room, whether the bucket or the whole syncache is full; an empty bucket
/// drops the SYN (FreeBSD, syncache_insert and the retry after a failed allocation in syncache_add).
struct evict_in_bucket : detail::always_evicts<syn_answer::evict_in_bucket> {
  static constexpr const char* name = "evict_in_bucket";
};

/// The oldest in the newcomer's bucket makes room; if that is empty, in the first bucket after it that is not (NetBSD
/// and OpenBSD, syn_cache_insert). O(buckets) at worst.
struct evict_from_here_on : detail::always_evicts<syn_answer::evict_from_here_on> {
  static constexpr const char* name = "evict_from_here_on";
};

/// Drops; but where the accept queue is full, too, the most retried request goes as well, so that the queue does not
/// stand full of requests that only a timeout can finish (Onload, ci_tcp_listenq_drop_oldest). A victim that had sent
/// its ACK gets a RST.
struct drop_and_evict_if_both_full {
  static constexpr const char* name = "drop_and_evict_if_both_full";
  static constexpr syn_answers evictions{syn_answer::drop_and_evict_most_retried};
  static constexpr syn_answer on_request_full(const overflow_facts& f) noexcept {
    return f.accept_full ? syn_answer::drop_and_evict_most_retried : syn_answer::drop;
  }
  static constexpr bool tells(bool acked) noexcept { return acked; }
};

/// The oldest makes room, but once refused SYNs outrun the queue (more in this second than there are requests, or in
/// the last one) a random one does, or nobody (XNU, tcp_dropdropablreq). There, the count of refused SYNs is the
/// system's and requests that a RST has killed go first; here it is the listener's, and such requests are gone already.
/// Where a shrunk backlog leaves no room even so, nobody is evicted in vain. Costs 8 bytes a request.
struct evict_oldest_or_random {
  static constexpr const char* name = "evict_oldest_or_random";
  static constexpr syn_answers evictions{syn_answer::evict_oldest, syn_answer::evict_random_or_none};

  constexpr syn_answer on_request_full(const overflow_facts& f) noexcept { return choose(f); }
  constexpr syn_answer on_accept_full(const overflow_facts& f) noexcept { return choose(f); }

 private:
  constexpr syn_answer choose(const overflow_facts& f) noexcept {
    const std::int64_t second_now = f.now / second;
    if (const std::int64_t passed = second_now - second_; passed != 0) {
      before_ = static_cast<std::uint32_t>(refused_ / passed);
      refused_ = 0;
      second_ = second_now;
    }
    ++refused_;
    const std::uint32_t q = f.lengths.requests;
    return refused_ > q || before_ > q ? syn_answer::evict_random_or_none : syn_answer::evict_oldest;
  }
  std::int64_t second_ = 0;
  std::uint32_t refused_ = 0;  ///< in this second
  std::uint32_t before_ = 0;   ///< a second, when one was refused last
};

/// `P`, and the peer that is evicted gets a RST. `receive` then needs a sink: there can be two segments.
template <request_full_policy P>
struct told : P {
  static constexpr const char* name = "told";
  static constexpr bool tells(bool) noexcept { return true; }
};

/// Does a policy send a RST to some of those whom it evicts? `P::tells(acked)`, `acked`: its ACK has been seen.
template <class P>
concept tells_evicted = requires(bool acked) {
  { P::tells(acked) } -> std::same_as<bool>;
};

}  // namespace listenq
