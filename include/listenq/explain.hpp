// SPDX-License-Identifier: BSL-1.0
// explain: what does listen(N) allow here? The limits that a composition derives from a backlog, as constexpr values,
// found by asking the very policies that the listener asks; so it cannot say anything else than the listener does.
// It is not a measurement: it says how many fit, not how many come.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <listenq/listener.hpp>
#include <listenq/static_array.hpp>
#include <optional>

namespace listenq {

/// A tunable and the value it is to have.
struct setting {
  tunable which;
  std::uint32_t value;
};

/// What listen(N) allows. Times are microseconds after the SYN.
struct explanation {
  int requested = 0;                 ///< what listen() was called with
  std::uint32_t backlog = 0;         ///< N: what became of it
  std::uint32_t accept_slots = 0;    ///< finished connections that can wait for accept()
  std::uint32_t request_slots = 0;   ///< requests that can wait
  std::uint32_t unproven_slots = 0;  ///< requests that peers without history can fill (the 3/4 rule); else the same
  std::uint32_t buckets = 0;         ///< of the table that a hand sweeps; 0 where every request has a timer
  std::optional<std::uint32_t>
      young_when_full{};                        ///< requests admitted while the accept queue is full; none: unlimited
  std::optional<std::uint32_t> pruning_from{};  ///< so many requests shorten the life of old ones; none: never
  syn_answer when_full = syn_answer::drop;      ///< what a full request queue answers where no cookie helps
  cookie_mode cookies = cookie_mode::off;       ///< what a full request queue means for the next SYN
  std::uint32_t retries = 0;                    ///< SYN-ACKs sent again
  static constexpr std::size_t most_times = 16;
  static_array<instant, most_times> syn_ack_at{};  ///< the first `syn_acks()` are when a SYN-ACK leaves
  instant dies_at = 0;                             ///< when a request that nobody answers is forgotten
  instant pruned_at = 0;                           ///< the same under pressure
  duration late_by = 0;                            ///< how much later a sweeping hand may come

  constexpr std::size_t syn_acks() const noexcept { return retries + 1U < most_times ? retries + 1U : most_times; }
  friend constexpr bool operator==(const explanation&, const explanation&) = default;
};

namespace detail {

/// The smallest n in [0, end) for which `holds(n)`, given that it holds from some n on; `end` if it never does.
template <class Holds>
constexpr std::uint32_t first_that(std::uint32_t end, Holds holds) {
  std::uint32_t low = 0;
  for (std::uint32_t high = end; low < high;) {
    const std::uint32_t middle = low + (high - low) / 2;
    holds(middle) ? high = middle : low = middle + 1;
  }
  return low;
}

template <class L>
struct explainer {
  using tunables_type = typename L::tunables_type;
  using sizing_policy = policy_of<L, slot::sizing>;
  using waiting_policy = policy_of<L, slot::waiting>;
  using schedule_policy = policy_of<L, slot::schedule>;
  using pressure_policy = policy_of<L, slot::pressure>;
  using clockwork_policy = policy_of<L, slot::clockwork>;
  using admission_policy = policy_of<L, slot::admission>;
  using accept_full_policy = policy_of<L, slot::accept_full_at_syn>;

  tunables_type t{};
  explanation e{};

  constexpr bool refuses_unproven(std::uint32_t requests) const {
    return admission_policy::any([&]<class G>() {
      return G::owner == gate_owner::last_quarter &&
             G::closed({.lengths = {.accepted = 0, .requests = requests}, .limit = e.request_slots}, t);
    });
  }
  constexpr std::uint32_t threshold(std::uint32_t requests) const {
    return pressure_policy::threshold(
        {.requests = requests, .young = 0, .limit = e.request_slots, .backlog = e.backlog, .retries = e.retries});
  }
  static constexpr instant time_of(std::uint32_t timer) {
    instant at = 0;
    for (std::uint32_t k = 0; k <= timer; ++k) at += schedule_policy::timeout(k);
    return at;
  }

  constexpr void run(int requested) {
    e.requested = requested;
    e.backlog = policy_of<L, slot::clamp>::clamp(requested, t);
    e.accept_slots = waiting_policy::capacity(e.backlog);
    e.request_slots = sizing_policy::limit(e.backlog, t);
    e.unproven_slots = first_that(e.request_slots, [this](std::uint32_t q) { return refuses_unproven(q); });
    e.retries = schedule_policy::retries(t);
    e.cookies = policy_of<L, slot::cookies>::mode(t);
    policy_of<L, slot::request_full> on_request_full{};
    e.when_full = on_request_full.on_request_full({.lengths = {.accepted = 0, .requests = e.request_slots},
                                                   .backlog = e.backlog,
                                                   .limit = e.request_slots,
                                                   .accept_slots = e.accept_slots});

    constexpr std::uint32_t many = 1U << 16;
    const std::uint32_t young = first_that(many, [this](std::uint32_t y) {
      accept_full_policy on_accept_full{};
      const syn_answer a = on_accept_full.on_accept_full({.lengths = {},
                                                          .young = y,
                                                          .backlog = e.backlog,
                                                          .accept_full = true,
                                                          .limit = e.request_slots,
                                                          .accept_slots = e.accept_slots});
      return a == syn_answer::drop || a == syn_answer::reset;
    });
    if (young < many) e.young_when_full = young;
    const std::uint32_t pruned =
        first_that(e.request_slots + 1, [this](std::uint32_t q) { return threshold(q) < e.retries; });
    if (pruned <= e.request_slots) e.pruning_from = pruned;

    for (std::uint32_t k = 1; k < e.syn_acks(); ++k) e.syn_ack_at[k] = time_of(k - 1);
    e.dies_at = time_of(e.retries);
    e.pruned_at = e.pruning_from ? time_of(threshold(e.request_slots)) : e.dies_at;
    if constexpr (clockwork_policy::sweeps) {
      e.buckets = std::bit_floor(e.request_slots);
      const std::uint32_t budget = clockwork_policy::budget(e.buckets, schedule_policy::timeout(0));
      e.late_by = clockwork_policy::period * ((e.buckets + budget - 1) / budget - 1);
    }
  }
};

}  // namespace detail

/// The limits of `L` for listen(`backlog`), with some tunables set. A tunable that no policy of `L` reads changes
/// nothing.
template <class L>
constexpr explanation explain(int backlog, std::initializer_list<setting> settings = {}) {
  detail::explainer<L> x;
  for (const setting& s : settings) {
    if (L::tunables_type::members.has(s.which)) x.t.assign(s.which, s.value);
  }
  x.run(backlog);
  return x.e;
}

}  // namespace listenq
