// SPDX-License-Identifier: BSL-1.0
// The invariants: what holds of every listener whatever its policies are, each with a name, a sentence and the kernel
// rule or the bug report that it comes from. `for_each_violation` checks those that one state shows; ledger.hpp those
// that need to know what happened. Whoever writes a policy can run both on it.
//
// It is not a test framework (a violation is a call of yours) and not a model: it does not know which verdict is due.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <listenq/composition.hpp>
#include <listenq/detail/tuple_hash.hpp>
#include <listenq/policy/cookie/pause.hpp>
#include <listenq/policy/counters.hpp>
#include <listenq/time.hpp>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace listenq::testing {

enum class invariant : std::uint8_t {
  // of a state
  young_within_size,
  young_recount,
  size_recount,
  every_request_findable,
  one_request_a_four_tuple,
  never_request_and_child,
  accept_recount,
  requests_within_bound,
  waiting_within_bound,
  deadline_iff_requests,
  deadline_is_least,
  closed_has_no_children,
  overflows_within_drops,
  // of an event
  verdict_fits_segment,
  answer_fits_verdict,
  queues_move_as_said,
  others_untouched,
  stored_only_with_room,
  promoted_only_with_room,
  victim_as_ruled,
  acked_is_monotone,
  young_once,
  timers_when_due,
  first_in_first_out,
  listen_loses_nothing,
  close_is_clean,
  // of the books
  requests_conserved,
  connections_conserved,
  passive_opens_are_children,
  cookies_add_up,
  // of what else there may be in a state
  bucket_recount,
  bucket_within_bound,
  budget_is_live_requests,
};
inline constexpr std::size_t invariant_count = 33;

struct description {
  const char* name;      ///< the enumerator
  const char* sentence;  ///< Q requests of which Y young, A waiting connections, N the backlog
  const char* source;
};

/// What an invariant says and where it comes from.
constexpr description about(invariant i) noexcept {
  constexpr std::array<description, invariant_count> all{{
      {"young_within_size", "0 <= Y <= Q", "Linux, reqsk_queue_len_young"},
      {"young_recount", "Y is the number of requests that have never timed out", "Linux, reqsk_queue_removed"},
      {"size_recount", "Q is the number of requests that iteration finds", "picotcp#53, gvisor#11535"},
      {"every_request_findable", "every request is found by its four-tuple, and it is that very one",
       "inet_csk_search_req"},
      {"one_request_a_four_tuple", "a four-tuple has at most one request", "Linux, inet_ehash_insert"},
      {"never_request_and_child", "no four-tuple is a request and a waiting connection at once",
       "inet_csk_complete_hashdance"},
      {"accept_recount", "A is the length of the accept queue", "Linux, sk_acceptq_added"},
      {"requests_within_bound", "Q stays within the bound that the caller knows", "gvisor#5637, gvisor#6545"},
      {"waiting_within_bound", "A stays within the bound that the caller knows", "Linux, sk_acceptq_is_full"},
      {"deadline_iff_requests", "there is a next deadline if and only if there is a request",
       "Linux 3.12, reqsk timer"},
      {"deadline_is_least", "with exact timers, the next deadline is the smallest of the requests'",
       "reqsk_timer_handler"},
      {"closed_has_no_children", "a listener that does not listen has nothing to accept", "inet_csk_listen_stop"},
      {"overflows_within_drops", "ListenOverflows <= ListenDrops", "Linux, snmp_counter.rst; pdns#18012"},
      {"verdict_fits_segment", "a segment ends in one verdict, of a kind that its flags and its request allow",
       "RFC 9293 3.10.7"},
      {"answer_fits_verdict",
       "at most one answer, to the sender, of the verdict's kind, with the right numbers; no RST for a RST",
       "RFC 9293 3.10.7.1"},
      {"queues_move_as_said", "a verdict moves requests and connections as it says", "osv#283"},
      {"others_untouched", "an event changes no request but its own", "Linux, tcp_check_req"},
      {"stored_only_with_room", "a SYN without a chosen ISN is stored only below the limit, or for an evicted one",
       "tcp_conn_request"},
      {"promoted_only_with_room", "no connection enters a full accept queue", "Linux, tcp_v4_syn_recv_sock"},
      {"victim_as_ruled", "who is evicted is the one that the rule names", "FreeBSD, NetBSD, syn_cache_insert"},
      {"acked_is_monotone", "acked never becomes false again, and only an ACK makes it true", "Linux, tcp_check_req"},
      {"young_once", "only a timer ages a request, by one timeout at a time", "Linux 2.6.32: 7-bit retrans wraps"},
      {"timers_when_due", "a tick handles due requests only, each once, exact timers in order and all of them",
       "reqsk_timer_handler"},
      {"first_in_first_out", "accept takes connections in the order in which they were promoted",
       "Linux, reqsk_queue_remove"},
      {"listen_loses_nothing",
       "listen keeps all that waits, starts anew after a close, and changes nothing if it fails", "envoy#45478"},
      {"close_is_clean", "close hands each connection back once, in order, and treats all requests alike",
       "inet_csk_listen_stop"},
      {"requests_conserved", "admitted = promoted + reset + overflowed + evicted + timed out + closed + Q",
       "picotcp#53"},
      {"connections_conserved", "promoted, by cookie or not = accepted + killed at close + A", "CVE-2026-46015"},
      {"passive_opens_are_children", "PassiveOpens is the number of connections made",
       "Linux, tcp_create_openreq_child"},
      {"cookies_add_up", "SyncookiesSent = TCPReqQFullDoCookies - SYNs dropped after that; Recv <= ACKs",
       "tcp_syn_flood_action"},
      {"bucket_recount", "the length of a bucket is the number of its requests", "FreeBSD, sch_length"},
      {"bucket_within_bound", "a bucket of a syncache stays within its bound", "FreeBSD, syncache_insert"},
      {"budget_is_live_requests", "what a budget counts is the requests that there are", "picotcp#53, tailscale#11298"},
  }};
  return all[static_cast<std::size_t>(i)];
}

/// Whom an eviction takes.
enum class victims : std::uint8_t {
  oldest,
  anybody,
  oldest_in_bucket,     ///< of the bucket that the newcomer belongs to
  oldest_from_here_on,  ///< of that bucket or, if it is empty, of the first after it that is not
};

/// What the caller knows about the composition. A bound that is not given does not bind.
struct expectations {
  std::uint64_t most_requests = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t most_waiting = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t most_in_bucket = std::numeric_limits<std::uint64_t>::max();
  std::uint32_t buckets = 1;             ///< in a set, for `oldest_from_here_on`
  victims evicted = victims::oldest;     ///< where anybody is
  bool bounds_requests = true;           ///< false where no gate asks whether there is room for a request
  bool shares_queue = false;             ///< buckets hold requests of other listeners, too
  bool exact_deadlines = true;           ///< false where a hand sweeps
  bool waiting_counts_requests = false;  ///< `waiting` counts Q too: who finishes takes the slot that it had
  bool duplicates_start_over = false;    ///< a SYN again makes its request young again (FreeBSD)
  bool cookies_hide_requests = false;    ///< segments do not always find their requests; true of `pausing` anyway
  bool requests_outlive_close = false;   ///< `outlive_listener`: neither close nor the next listen ends a request
  bool counts = true;                    ///< false for `no_counters`; only Linux's are looked at
  bool counts_cookies = true;            ///< false where TCPReqQFullDoCookies is not counted (Linux 2.6.32)
};

/// What is looked at: a listener, or something that can pass for one. What it has beyond this is looked at, too:
/// buckets, a budget, neighbours that share its queue.
template <class L>
concept observable = requires(const L& l, const typename L::key_type& k) {
  typename L::segment_type;
  typename L::request_type;
  typename L::handle_type;
  { l.listening() } -> std::same_as<bool>;
  { l.accept_full() } -> std::same_as<bool>;
  { l.request_count() } -> std::same_as<std::uint32_t>;
  { l.young_count() } -> std::same_as<std::uint32_t>;
  { l.accept_count() } -> std::same_as<std::uint32_t>;
  { l.request_limit() } -> std::same_as<std::uint32_t>;
  { l.next_deadline() } -> std::same_as<std::optional<instant>>;
  l.counters();
  { *l.find_request(k) } -> std::same_as<const typename L::request_type&>;
  { l.find_request(k) == nullptr } -> std::same_as<bool>;
  l.for_each_request([](const typename L::request_type&) {});
  l.for_each_waiting([](const typename L::handle_type&) {});
};

/// What it counts in Linux's terms; nothing if it counts in others.
template <class L>
constexpr counter_values linux_counts_of(const L& l) {
  if constexpr (std::convertible_to<decltype(l.counters()), counter_values>) {
    return l.counters();
  } else {
    return {};
  }
}

/// It keeps its requests in the buckets of a syncache.
template <class L>
concept has_buckets = requires(const L& l, const typename L::key_type& k, std::uint32_t bucket) {
  { l.bucket_of(k) } -> std::same_as<std::uint32_t>;
  { l.bucket_length(bucket) } -> std::same_as<std::uint32_t>;
};

namespace detail {

/// Is this handle the connection of `key`? Unknown, hence true, for handles of the stack's own.
template <class Handle, class Key>
constexpr bool names(const Handle& h, const Key& key) {
  if constexpr (std::same_as<Handle, Key>) {
    return h == key;
  } else if constexpr (requires { h.key == key; }) {
    return h.key == key;
  } else {
    return true;
  }
}
template <class Handle, class Key>
inline constexpr bool has_key = std::same_as<Handle, Key> || requires(const Handle& h) {
  h.key;
};

/// Do the cookies of `L` pause its queue, during which segments do not find their requests?
template <class L>
inline constexpr bool pauses_queue = false;
template <class L>
requires pauses<policy_of<L, slot::cookies>>
inline constexpr bool pauses_queue<L> = true;

template <class R>
constexpr bool same_request(const R& a, const R& b) {
  return a.key == b.key && a.irs == b.irs && a.iss == b.iss && a.deadline == b.deadline && a.timeouts == b.timeouts &&
         a.retransmits == b.retransmits && a.acked == b.acked && a.ts_recent == b.ts_recent && a.last_ts == b.last_ts;
}

/// Some order of four-tuples.
template <addressing A>
constexpr bool before(const basic_four_tuple<A>& a, const basic_four_tuple<A>& b) {
  const listenq::detail::key_words<A> x{a}, y{b};
  return std::lexicographical_compare(std::begin(x.word), std::end(x.word), std::begin(y.word), std::end(y.word));
}

}  // namespace detail

/// Calls `f(invariant)` for each invariant of a single state that `l` breaks. O(n log n) of its requests, and for each
/// connection that waits a look at all of them.
template <observable L, class F>
constexpr void for_each_violation(const L& l, F&& f, const expectations& e = {}) {
  const auto expect = [&f](bool holds, invariant i) {
    if (!holds) f(i);
  };
  std::uint32_t requests = 0;
  std::uint32_t young = 0;
  std::uint32_t waiting = 0;
  instant least = never;
  bool findable = true;
  bool single = true;
  bool apart = true;
  // Where what is found is a copy, it does not tell which of two it is.
  constexpr bool copies = !std::is_pointer_v<decltype(l.find_request(std::declval<const typename L::key_type&>()))>;
  std::vector<typename L::key_type> keys;
  l.for_each_request([&](const auto& r) {
    ++requests;
    if (r.timeouts == 0) ++young;
    least = std::min(least, r.deadline);
    const auto found = l.find_request(r.key);
    if constexpr (copies) {
      keys.push_back(r.key);
    } else {
      if (found == &r) return;  // of two with one four-tuple, the other one counts them
      std::uint32_t namesakes = 0;
      l.for_each_request([&](const auto& other) { namesakes += other.key == r.key ? 1U : 0U; });
      single = single && namesakes == 1;
    }
    findable = findable && found != nullptr && detail::same_request(*found, r);
  });
  if constexpr (copies) {
    std::sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) { return detail::before(a, b); });
    single = std::adjacent_find(keys.begin(), keys.end()) == keys.end();
  }
  l.for_each_waiting([&](const auto& h) {
    ++waiting;
    if constexpr (detail::has_key<typename L::handle_type, typename L::key_type>) {
      l.for_each_request([&](const auto& r) { apart = apart && !detail::names(h, r.key); });
    }
  });
  const std::optional<instant> next = l.next_deadline();
  const counter_values c = linux_counts_of(l);
  expect(l.young_count() <= l.request_count(), invariant::young_within_size);
  expect(l.young_count() == young, invariant::young_recount);
  expect(l.request_count() == requests, invariant::size_recount);
  expect(findable, invariant::every_request_findable);
  expect(single, invariant::one_request_a_four_tuple);
  expect(apart || e.cookies_hide_requests || detail::pauses_queue<L>, invariant::never_request_and_child);
  expect(l.accept_count() == waiting, invariant::accept_recount);
  expect(requests <= e.most_requests, invariant::requests_within_bound);
  expect(waiting <= e.most_waiting, invariant::waiting_within_bound);
  expect(next.has_value() == (requests > 0), invariant::deadline_iff_requests);
  expect(!e.exact_deadlines || !next || requests == 0 || *next == least, invariant::deadline_is_least);
  expect(l.listening() || waiting == 0, invariant::closed_has_no_children);
  expect(c.listen_overflows <= c.listen_drops, invariant::overflows_within_drops);
  if constexpr (has_buckets<L>) {
    std::vector<std::uint32_t> buckets;  // of each request
    l.for_each_request([&](const auto& r) { buckets.push_back(l.bucket_of(r.key)); });
    std::sort(buckets.begin(), buckets.end());
    bool counted = true;
    bool bounded = true;
    for (auto b = buckets.begin(); b != buckets.end();) {
      const auto next_bucket = std::upper_bound(b, buckets.end(), *b);
      const auto mates = static_cast<std::uint32_t>(next_bucket - b);
      const std::uint32_t length = l.bucket_length(*b);
      counted = counted && (e.shares_queue ? length >= mates : length == mates);
      bounded = bounded && length <= e.most_in_bucket;
      b = next_bucket;
    }
    expect(counted, invariant::bucket_recount);
    expect(bounded, invariant::bucket_within_bound);
  }
  if constexpr (requires { l.budget_balanced(); }) {
    expect(l.budget_balanced(), invariant::budget_is_live_requests);
  }
}

}  // namespace listenq::testing
