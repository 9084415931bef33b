// SPDX-License-Identifier: BSL-1.0
// admission: which gates a SYN meets, in which order. A gate is open or closed; what a closed one does is asked of the
// slot that owns the question (`cookies` and `request_full`, `accept_full_at_syn`), or of the gate itself.
//
// When to use which: `linux_gates` is the order of tcp_v4_conn_request and tcp_conn_request: known request, request
// queue, accept queue, refusal, last quarter. `bsd_gates` tests the accept queue before it looks the request up, by a
// test of its own that the final ACK does not meet (NetBSD, OpenBSD, FreeBSD to 6), `syncache_gates` never refuses. A
// gate of your own: a struct with `name`, `closed(facts, tunables)` and `answer`.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/policy/overflow.hpp>
#include <listenq/policy/tunables.hpp>

namespace listenq {

/// What a gate may look at.
struct syn_facts {
  queue_lengths lengths{};      ///< A and Q
  std::uint32_t young = 0;      ///< Y
  std::uint32_t backlog = 0;    ///< N
  std::uint32_t limit = 0;      ///< how many requests fit
  bool request_full = false;    ///< there is no room for this one's request
  bool accept_full = false;     ///< `waiting` says so
  bool isn_chosen = false;      ///< a TIME-WAIT demands its ISN
  bool proven = false;          ///< the peer has connected before
  bool refused = false;         ///< the outer stack says no
  bool cookies_always = false;  ///< every SYN is to be answered by a cookie
};

/// Which slot answers for a closed gate.
enum class gate_owner : std::uint8_t {
  known_request,  ///< not a test: from here on a SYN for an existing request goes to that request
  request_queue,  ///< `cookies`, then `request_full`
  accept_queue,   ///< `accept_full_at_syn`
  refusal,        ///< drop
  last_quarter,   ///< drop
  budget,         ///< drop; open or closed is asked of the `budget` slot
  gate,           ///< the gate's own `answer`
};

/// `closed(facts, tunables)`, and an `owner`. A gate owned by itself has `answer`, `syn_answer::drop` or `reset`.
template <class G>
concept gate = requires(const syn_facts& f, const any_tunables& t) {
  { G::closed(f, t) } -> std::same_as<bool>;
  { G::owner } -> std::convertible_to<gate_owner>;
}
&&(G::owner != gate_owner::gate || requires {
  { G::answer } -> std::convertible_to<syn_answer>;
});

namespace gates {

/// A SYN that belongs to a request leaves the row here.
struct known_request {
  static constexpr const char* name = "known_request";
  static constexpr gate_owner owner = gate_owner::known_request;
  static constexpr bool closed(const syn_facts&, const tunable_source auto&) noexcept { return false; }
};

/// Closed when the request queue is full, or when cookies are for everybody. A SYN whose ISN is chosen by a TIME-WAIT
/// passes without limit (tcp_v4_conn_request: "isn" set; quirk 16 of the kernels).
struct request_queue {
  static constexpr const char* name = "request_queue";
  static constexpr gate_owner owner = gate_owner::request_queue;
  static constexpr bool closed(const syn_facts& f, const tunable_source auto&) noexcept {
    return (f.request_full || f.cookies_always) && !f.isn_chosen;
  }
};

/// The same, but a TIME-WAIT opens nothing (the BSD syncaches).
struct strict_request_queue {
  static constexpr const char* name = "strict_request_queue";
  static constexpr gate_owner owner = gate_owner::request_queue;
  static constexpr bool closed(const syn_facts& f, const tunable_source auto&) noexcept {
    return f.request_full || f.cookies_always;
  }
};

/// Closed when the accept queue is full; cookies do not open it.
struct accept_queue {
  static constexpr const char* name = "accept_queue";
  static constexpr gate_owner owner = gate_owner::accept_queue;
  static constexpr bool closed(const syn_facts& f, const tunable_source auto&) noexcept { return f.accept_full; }
};

/// Closed when the accept queue is full by another test than `waiting`, which the final ACK meets (NetBSD and OpenBSD,
/// tcp_input: so_qlen against so_qlimit at the SYN, sonewconn's sum of both queues at the ACK).
template <waiting_policy Test>
struct accept_queue_by {
  static constexpr const char* name = "accept_queue_by";
  static constexpr gate_owner owner = gate_owner::accept_queue;
  static constexpr bool closed(const syn_facts& f, const tunable_source auto&) noexcept {
    return Test::full(f.lengths, f.backlog);
  }
};

/// Closed when the outer stack refuses (a firewall, a security hook). A row without this gate never refuses for it.
struct refusal {
  static constexpr const char* name = "refusal";
  static constexpr gate_owner owner = gate_owner::refusal;
  static constexpr bool closed(const syn_facts& f, const tunable_source auto&) noexcept { return f.refused; }
};

/// The last quarter of max_syn_backlog is for peers that have connected before: closed without cookies when
/// `max - Q < max >> 2` (Linux, tcp_v4_conn_request and tcp_conn_request). It reads the tunable `syncookies`, as the
/// kernel does, not the `cookies` slot: a composition without cookies sets the tunable to 0 to have this gate.
struct last_quarter {
  static constexpr const char* name = "last_quarter";
  static constexpr gate_owner owner = gate_owner::last_quarter;
  static constexpr tunable_set tunables{tunable::max_syn_backlog, tunable::syncookies};
  static constexpr bool closed(const syn_facts& f, const tunable_source auto& t) noexcept {
    if (t[tunable::syncookies] != 0 || f.isn_chosen || f.proven) return false;
    const auto most = static_cast<std::int64_t>(t[tunable::max_syn_backlog]);
    return most - static_cast<std::int64_t>(f.lengths.requests) < (most >> 2);
  }
};

/// Closed when the `budget` slot has nothing left for this peer.
struct budget {
  static constexpr const char* name = "budget";
  static constexpr gate_owner owner = gate_owner::budget;
  static constexpr bool closed(const syn_facts&, const tunable_source auto&) noexcept { return false; }
};

}  // namespace gates

namespace detail {
template <class Gate, class... Later, class Visit>
[[gnu::always_inline]] constexpr bool any_gate(Visit& visit) {
  if (visit.template operator()<Gate>()) return true;
  if constexpr (sizeof...(Later) > 0) {
    return any_gate<Later...>(visit);
  } else {
    return false;
  }
}
}  // namespace detail

/// Gates from left to right; the first closed one that refuses decides. There is exactly one `gates::known_request`:
/// what stands before it is asked of every SYN, what stands behind it of new ones only.
template <gate... Gates>
struct in_order {
  static_assert((0 + ... + std::same_as<Gates, gates::known_request>) == 1,
                "listenq: a row of gates needs gates::known_request exactly once.");
  static constexpr const char* name = "in_order";
  static constexpr tunable_set tunables = (tunable_set{} | ... | tunables_of<Gates>);
  /// Calls `visit.template operator()<Gate>()` for each gate until it returns true.
  template <class Visit>
  [[gnu::always_inline]] static constexpr bool any(Visit&& visit) {
    return detail::any_gate<Gates...>(visit);
  }
};

template <class P>
concept admission_policy = requires {
  P::any([]<class>() { return true; });
};

using linux_gates =
    in_order<gates::known_request, gates::request_queue, gates::accept_queue, gates::refusal, gates::last_quarter>;
using bsd_gates = in_order<gates::accept_queue_by<backlog_plus_one>, gates::known_request, gates::strict_request_queue,
                           gates::refusal>;
using syncache_gates = in_order<gates::known_request, gates::strict_request_queue, gates::refusal>;

using default_admission = linux_gates;

namespace slot {
struct admission {
  static constexpr const char* name = "admission";
};
}  // namespace slot
/// Keyword: the gates that a SYN meets.
template <admission_policy P = default_admission>
struct admission {
  using slot = listenq::slot::admission;
  using policy = P;
};

}  // namespace listenq
