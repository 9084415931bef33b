// SPDX-License-Identifier: BSL-1.0
// overflow: what a full queue answers. Three questions, a keyword each: `request_full` at a SYN, `accept_full_at_syn`
// at a SYN, `accept_full_at_ack` at the final ACK. When a queue is full is not asked here but of `sizing`, `waiting`.
//
// When to use which: `drop` and `keep` let the peer's retransmissions try again, as every kernel does by default;
// `reset` tells it at once (Windows; Linux with tcp_abort_on_overflow); `evict_oldest` lets the newcomer in (the BSD
// syncaches); `drop_if_young<1>` is Linux before 4.10, the rule behind the third client of the articles.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/policy/tunables.hpp>
#include <listenq/policy/waiting.hpp>

namespace listenq {

/// What a policy may look at when a queue is full.
struct overflow_facts {
  queue_lengths lengths{};    ///< A and Q
  std::uint32_t young = 0;    ///< Y
  std::uint32_t backlog = 0;  ///< N
  bool cookie = false;        ///< the SYN would be answered by a cookie
};

/// The answer to a SYN that meets a full queue.
enum class syn_answer : std::uint8_t {
  admit,         ///< go on as if there were room
  drop,          ///< say nothing
  reset,         ///< RST
  evict_oldest,  ///< forget the oldest request and go on (only where the request queue is full)
};

/// The answer to a final ACK that finds no room.
enum class ack_answer : std::uint8_t {
  keep,    ///< say nothing, keep the request: its retransmissions try again
  reset,   ///< RST, forget the request
  forget,  ///< say nothing, forget the request
};

/// `on_request_full(facts)`: admit, drop, reset or evict_oldest. `evicts` if it may say the last one.
template <class P>
concept request_full_policy = requires(const overflow_facts& f) {
  { P::on_request_full(f) } -> std::same_as<syn_answer>;
};

/// `on_accept_full(facts)`: admit, drop or reset.
template <class P>
concept accept_full_at_syn_policy = requires(const overflow_facts& f) {
  { P::on_accept_full(f) } -> std::same_as<syn_answer>;
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

/// The oldest request makes room; its peer hears nothing. Costs 8 bytes a request, to know which one is the oldest.
struct evict_oldest {
  static constexpr const char* name = "evict_oldest";
  static constexpr bool evicts = true;
  static constexpr syn_answer on_request_full(const overflow_facts&) noexcept { return syn_answer::evict_oldest; }
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

/// Does this answer to a full request queue need to know which request is the oldest?
template <class P>
inline constexpr bool evicts = false;
template <class P>
requires requires { P::evicts; }
inline constexpr bool evicts<P> = P::evicts;

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
