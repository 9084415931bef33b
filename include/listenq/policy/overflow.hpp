// SPDX-License-Identifier: BSL-1.0
// overflow: what a full queue answers. Three questions, a keyword each: `request_full` at a SYN, `accept_full_at_syn`
// at a SYN, `accept_full_at_ack` at the final ACK. When a queue is full is not asked here but of `sizing`, `waiting`.
// The models that let another request make room are in eviction.hpp.
//
// When to use which: `drop` and `keep` let the peer's retransmissions try again, as every kernel does by default;
// `reset` tells it at once (Windows; Linux with tcp_abort_on_overflow); `drop_if_young<1>` is Linux before 4.10, the
// rule behind the third client of the articles; `drop_if_young_above<1, 4>` is Onload before it followed Linux.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/policy/tunables.hpp>
#include <listenq/policy/waiting.hpp>
#include <listenq/time.hpp>

namespace listenq {

/// What a policy may look at when a queue is full.
struct overflow_facts {
  queue_lengths lengths{};         ///< A and Q
  std::uint32_t young = 0;         ///< Y
  std::uint32_t backlog = 0;       ///< N
  bool cookie = false;             ///< the SYN would be answered by a cookie
  bool accept_full = false;        ///< `waiting` says so, whichever queue is asked about
  std::uint32_t limit = 0;         ///< how many requests fit
  std::uint32_t accept_slots = 0;  ///< how many connections may wait
  instant now = 0;
};

/// The answer to a SYN that meets a full queue. Where another request is to make room and there is none, the SYN is
/// dropped. At a full accept queue, a request makes room only where `waiting` counts requests.
enum class syn_answer : std::uint8_t {
  admit,                        ///< go on as if there were room
  drop,                         ///< say nothing
  reset,                        ///< RST
  evict_oldest,                 ///< the request that was stored first makes room
  evict_random,                 ///< any request, each as likely as the others
  evict_random_or_none,         ///< the same, but with a chance of 1 / (Q + 1) the SYN is dropped instead
  evict_most_retried,           ///< the request with the most timeouts; of several, the one that is due first
  drop_and_evict_most_retried,  ///< the same goes, and the SYN is dropped all the same
  evict_in_bucket,              ///< the oldest in the bucket of a syncache to which the SYN belongs
  evict_from_here_on,           ///< the oldest in that bucket or, if it is empty, in the next that is not
};

/// A set of answers.
struct syn_answers {
  std::uint32_t bits = 0;
  constexpr syn_answers() = default;
  template <std::same_as<syn_answer>... A>
  constexpr syn_answers(A... a) noexcept : bits{(0U | ... | (1U << static_cast<unsigned>(a)))} {}
  constexpr bool has(syn_answer a) const noexcept { return ((bits >> static_cast<unsigned>(a)) & 1U) != 0; }
  template <std::same_as<syn_answer>... A>
  constexpr bool any(A... a) const noexcept {
    return (bits & syn_answers{a...}.bits) != 0;
  }
  friend constexpr syn_answers operator|(syn_answers a, syn_answers b) noexcept {
    a.bits |= b.bits;
    return a;
  }
  friend constexpr bool operator==(syn_answers, syn_answers) = default;
};

/// Does this answer send another request away?
constexpr bool evicts(syn_answer a) noexcept { return a >= syn_answer::evict_oldest; }

/// The evictions that a policy may ask for: what the request queue must be able to find. It names them in `evictions`.
template <class P>
inline constexpr syn_answers evictions_of{};
template <class P>
requires requires { P::evictions; }
inline constexpr syn_answers evictions_of<P> = P::evictions;

/// The answer to a final ACK that finds no room.
enum class ack_answer : std::uint8_t {
  keep,    ///< say nothing, keep the request: its retransmissions try again
  reset,   ///< RST, forget the request
  forget,  ///< say nothing, forget the request
};

/// `on_request_full(facts)`: any answer, evictions only if `evictions` names them. The policy may have state.
template <class P>
concept request_full_policy = std::default_initializable<P> && requires(P& p, const overflow_facts& f) {
  { p.on_request_full(f) } -> std::same_as<syn_answer>;
};

/// `on_accept_full(facts)`: the same for a full accept queue.
template <class P>
concept accept_full_at_syn_policy = std::default_initializable<P> && requires(P& p, const overflow_facts& f) {
  { p.on_accept_full(f) } -> std::same_as<syn_answer>;
};

/// `on_overflow(facts, tunables)`: keep, reset or forget. Not asked for cookies: there is no request to keep.
template <class P>
concept accept_full_at_ack_policy = requires(const overflow_facts& f, const any_tunables& t) {
  { P::on_overflow(f, t) } -> std::same_as<ack_answer>;
};

/// Goes on as if there were room (FreeBSD 13 does not look at the accept queue before the ACK).
struct admit {
  static constexpr const char* name = "admit";
  static constexpr syn_answer on_accept_full(const overflow_facts&) noexcept { return syn_answer::admit; }
};

/// Says nothing to the SYN; the peer retransmits it.
struct drop {
  static constexpr const char* name = "drop";
  static constexpr syn_answer on_request_full(const overflow_facts&) noexcept { return syn_answer::drop; }
  static constexpr syn_answer on_accept_full(const overflow_facts&) noexcept { return syn_answer::drop; }
};

/// A RST, to the SYN or to the final ACK: the peer learns at once.
struct reset {
  static constexpr const char* name = "reset";
  static constexpr syn_answer on_request_full(const overflow_facts&) noexcept { return syn_answer::reset; }
  static constexpr syn_answer on_accept_full(const overflow_facts&) noexcept { return syn_answer::reset; }
  static constexpr ack_answer on_overflow(const overflow_facts&, const tunable_source auto&) noexcept {
    return ack_answer::reset;
  }
};

/// Drops while more than Most requests are young, admits otherwise (Linux 2.6.32 and 3.12, tcp_v4_conn_request:
/// sk_acceptq_is_full and young > 1).
template <std::uint32_t Most = 1>
struct drop_if_young {
  static constexpr const char* name = "drop_if_young";
  static constexpr std::uint32_t most = Most;
  static constexpr syn_answer on_accept_full(const overflow_facts& f) noexcept {
    return f.young > Most ? syn_answer::drop : syn_answer::admit;
  }
};

/// Drops while more than Numerator / Denominator of the smaller queue's slots are young requests, admits otherwise
/// (Onload, ci_tcp_handle_rx_listen, with a quarter; since 2024 it drops every SYN at a full accept queue).
template <std::uint32_t Numerator, std::uint32_t Denominator>
struct drop_if_young_above {
  static_assert(Denominator > 0, "listenq: drop_if_young_above<a, b> compares with a / b, and b is 0.");
  static constexpr const char* name = "drop_if_young_above";
  static constexpr syn_answer on_accept_full(const overflow_facts& f) noexcept {
    const std::uint32_t slots = f.accept_slots < f.limit ? f.accept_slots : f.limit;
    return f.young > std::uint64_t{slots} * Numerator / Denominator ? syn_answer::drop : syn_answer::admit;
  }
};

/// Says nothing and lets the request wait on; the retransmitted SYN-ACK provokes another ACK.
struct keep {
  static constexpr const char* name = "keep";
  static constexpr ack_answer on_overflow(const overflow_facts&, const tunable_source auto&) noexcept {
    return ack_answer::keep;
  }
};

/// Forgets the request without a word; the peer's data will meet a RST.
struct forget {
  static constexpr const char* name = "forget";
  static constexpr ack_answer on_overflow(const overflow_facts&, const tunable_source auto&) noexcept {
    return ack_answer::forget;
  }
};

/// `reset` or `keep`, as the administrator says (Linux, tcp_abort_on_overflow; also for a child that the stack
/// refuses).
struct abort_if_tuned {
  static constexpr const char* name = "abort_if_tuned";
  static constexpr tunable_set tunables{tunable::abort_on_overflow};
  static constexpr ack_answer on_overflow(const overflow_facts&, const tunable_source auto& t) noexcept {
    return t[tunable::abort_on_overflow] != 0 ? ack_answer::reset : ack_answer::keep;
  }
};

using default_request_full = drop;
using default_accept_full_at_syn = drop;
using default_accept_full_at_ack = keep;

namespace slot {
struct request_full {
  static constexpr const char* name = "request_full";
};
struct accept_full_at_syn {
  static constexpr const char* name = "accept_full_at_syn";
};
struct accept_full_at_ack {
  static constexpr const char* name = "accept_full_at_ack";
};
}  // namespace slot
/// Keyword: what a SYN gets when the request queue is full and no cookie helps.
template <request_full_policy P = default_request_full>
struct request_full {
  using slot = listenq::slot::request_full;
  using policy = P;
};
/// Keyword: what a SYN gets when the accept queue is full.
template <accept_full_at_syn_policy P = default_accept_full_at_syn>
struct accept_full_at_syn {
  using slot = listenq::slot::accept_full_at_syn;
  using policy = P;
};
/// Keyword: what a final ACK gets when the accept queue is full.
template <accept_full_at_ack_policy P = default_accept_full_at_ack>
struct accept_full_at_ack {
  using slot = listenq::slot::accept_full_at_ack;
  using policy = P;
};

}  // namespace listenq
