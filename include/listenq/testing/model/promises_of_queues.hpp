// SPDX-License-Identifier: BSL-1.0
// What the policies of the two queues promise: how listen()'s number is read, who fits, how requests age, where they
// are kept, how much a peer may have. From the kernels' sources; part of rules_of.hpp.
#pragma once

#include <listenq/testing/model/rules_of.hpp>

namespace listenq::testing {

// --- clamp ---

template <>
struct promise<to_somaxconn> {
  static void of(rules& r) {
    r.clamp = [](std::int64_t n, std::uint64_t most) {
      const auto as_unsigned = static_cast<std::uint64_t>(n < 0 ? n + (std::int64_t{1} << 32) : n);
      return std::min(as_unsigned, most);
    };
  }
};
template <>
struct promise<negative_to_somaxconn> {
  static void of(rules& r) {
    r.clamp = [](std::int64_t n, std::uint64_t most) {
      return n < 0 || static_cast<std::uint64_t>(n) > most ? most : static_cast<std::uint64_t>(n);
    };
  }
};
template <>
struct promise<zero_to_somaxconn> {
  static void of(rules& r) {
    r.clamp = [](std::int64_t n, std::uint64_t most) {
      return n <= 0 || static_cast<std::uint64_t>(n) > most ? most : static_cast<std::uint64_t>(n);
    };
  }
};
template <>
struct promise<negative_to_zero> {
  static void of(rules& r) {
    r.clamp = [](std::int64_t n, std::uint64_t most) {
      return std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(n, 0)), most);
    };
  }
};
template <std::uint32_t Least, class Base>
struct promise<never_below<Least, Base>> {
  static void of(rules& r) {
    promise<Base>::of(r);
    r.clamp = [base = r.clamp](std::int64_t n, std::uint64_t most) {
      return std::max<std::uint64_t>(base(n, most), Least);
    };
  }
};
template <std::uint32_t Most, std::uint32_t Otherwise>
struct promise<up_to<Most, Otherwise>> {
  static void of(rules& r) {
    r.clamp = [](std::int64_t n, std::uint64_t) -> std::uint64_t {
      return n <= 0 ? Otherwise : std::min<std::uint64_t>(static_cast<std::uint64_t>(n), Most);
    };
  }
};
template <>
struct promise<windows_hint> {
  static void of(rules& r) {
    r.clamp = [](std::int64_t n, std::uint64_t) -> std::uint64_t {
      if (n == 0x7fffffff) return 65535;
      if (n < 0) return static_cast<std::uint64_t>(std::clamp<std::int64_t>(-n, 200, 65535));
      return n == 0 ? 1 : static_cast<std::uint64_t>(std::min<std::int64_t>(n, 200));
    };
  }
};
template <>
struct promise<as_is> {
  static void of(rules& r) {
    r.clamp = [](std::int64_t n, std::uint64_t) { return static_cast<std::uint64_t>(std::max<std::int64_t>(n, 0)); };
  }
};

// --- sizing ---

/// One step of a pipeline, in numbers that do not wrap; `msb` stands for whichever tunable it reads.
template <class Step>
struct sizing_promise;
template <auto Bound>
constexpr std::uint64_t bound_or([[maybe_unused]] std::uint64_t msb) noexcept {
  if constexpr (std::same_as<std::remove_cv_t<decltype(Bound)>, tunable>) {
    static_assert(Bound == tunable::max_syn_backlog, "listenq::testing: the model reads max_syn_backlog only.");
    return msb;
  } else {
    return static_cast<std::uint64_t>(Bound);
  }
}
template <auto Bound>
struct sizing_promise<at_most<Bound>> {
  static std::uint64_t of(std::uint64_t n, [[maybe_unused]] std::uint64_t msb) {
    return std::min(n, bound_or<Bound>(msb));
  }
};
template <auto Bound>
struct sizing_promise<at_least<Bound>> {
  static std::uint64_t of(std::uint64_t n, [[maybe_unused]] std::uint64_t msb) {
    return std::max(n, bound_or<Bound>(msb));
  }
};
template <auto Value>
struct sizing_promise<exactly<Value>> {
  static std::uint64_t of(std::uint64_t, std::uint64_t msb) { return bound_or<Value>(msb); }
};
template <std::uint32_t Amount>
struct sizing_promise<plus<Amount>> {
  static std::uint64_t of(std::uint64_t n, std::uint64_t) { return n + Amount; }
};
template <std::uint32_t Numerator, std::uint32_t Denominator>
struct sizing_promise<times<Numerator, Denominator>> {
  static std::uint64_t of(std::uint64_t n, std::uint64_t) { return n * Numerator / Denominator; }
};
template <unsigned Bits>
struct sizing_promise<low_bits<Bits>> {
  static std::uint64_t of(std::uint64_t n, std::uint64_t) { return n % (std::uint64_t{1} << Bits); }
};
template <>
struct sizing_promise<roundup_pow_of_two> {
  static std::uint64_t of(std::uint64_t n, std::uint64_t) {
    std::uint64_t power = 1;
    while (power < n) power *= 2;
    return power;
  }
};
template <class... Steps>
struct sizing_promise<pipeline<Steps...>> {
  static std::uint64_t of(std::uint64_t n, [[maybe_unused]] std::uint64_t msb) {
    ((n = sizing_promise<Steps>::of(n, msb)), ...);
    return n;
  }
};

template <class... Steps>
struct promise<pipeline<Steps...>> {
  static void of(rules& r) { r.room = sizing_promise<pipeline<Steps...>>::of; }
};
template <class Pipeline>
struct promise<sized_once<Pipeline>> {
  static void of(rules& r) {
    promise<Pipeline>::of(r);
    r.sized_once = true;
  }
};
template <std::uint32_t Buckets, std::uint32_t Depth, std::uint32_t Limit, class Seeds>
struct promise<syncache<Buckets, Depth, Limit, Seeds>> {
  static void of(rules& r) {
    r.buckets = Buckets;
    r.depth = Depth;
    r.most_in_set = Limit;
    r.sets = Seeds::sets;
    r.uses = Seeds::uses;
    r.room = [](std::uint64_t, std::uint64_t) { return std::uint64_t{Limit} * Seeds::sets; };
  }
};

// --- waiting ---

template <class Bound, counted What>
struct promise<over<Bound, What>> {
  static bool full(const lengths& l) {
    const std::uint64_t there = l.accepted + (What == counted::both_queues ? l.requests : 0);
    return there > sizing_promise<Bound>::of(l.backlog, 0);
  }
  static void of(rules& r) {
    r.accept_full = full;
    r.accept_slots = [](std::uint64_t n) { return sizing_promise<Bound>::of(n, 0) + 1; };
  }
};
template <class Bound, counted What>
struct promise<reached<Bound, What>> {
  static bool full(const lengths& l) {
    const std::uint64_t there = l.accepted + (What == counted::both_queues ? l.requests : 0);
    return there >= sizing_promise<Bound>::of(l.backlog, 0);
  }
  static void of(rules& r) {
    r.accept_full = full;
    r.accept_slots = [](std::uint64_t n) { return sizing_promise<Bound>::of(n, 0); };
  }
};

// --- ageing ---

template <duration Initial, auto Retries, duration Cap>
struct promise<doubling<Initial, Retries, Cap>> {
  static duration wait(unsigned timeouts) {
    duration d = Initial;
    for (unsigned i = 0; i < timeouts && d < Cap; ++i) d += d;
    return std::min(d, Cap);
  }
  static void of(rules& r) {
    r.wait = wait;
    while (wait(r.lines - 1) < Cap) ++r.lines;
    if constexpr (std::same_as<std::remove_cv_t<decltype(Retries)>, tunable>) {
      static_assert(Retries == tunable::synack_retries);
    } else {
      r.retries = Retries;
    }
  }
};
template <duration Lifetime>
struct promise<fixed_lifetime<Lifetime>> {
  static void of(rules& r) {
    r.wait = [](unsigned) { return Lifetime; };
    r.retries = 0;
  }
};
template <duration... Waits>
struct promise<listed<Waits...>> {
  static void of(rules& r) {
    r.wait = [](unsigned timeouts) {
      const std::vector<duration> waits{Waits...};
      return waits[std::min<std::size_t>(timeouts, waits.size() - 1)];
    };
    r.lines = sizeof...(Waits);
    r.retries = sizeof...(Waits) - 1;
  }
};
template <>
struct promise<no_pressure> {
  static void of(rules&) {}
};
template <>
struct promise<half_table> {
  static void of(rules& r) { r.crowd = crowding::half_table; }
};
template <>
struct promise<half_backlog> {
  static void of(rules& r) { r.crowd = crowding::half_backlog; }
};
template <tie_order Ties>
struct promise<exact<Ties>> {
  static void of(rules& r) { r.newest_first = Ties == tie_order::newest_first; }
};
template <duration Period>
struct promise<sweep<Period>> {
  static void of(rules& r) { r.sweep = Period; }
};

// --- storage, addresses, budgets ---

template <>
struct promise<own_requests> {
  static void of(rules&) {}
};
template <>
struct promise<compact_requests> {
  static void of(rules& r) {
    r.tick = 4096;
    r.keeps_answers = false;
  }
};

template <>
struct promise<at_listen> {
  static void of(rules&) {}
};
template <>
struct promise<caller_memory> {
  static void of(rules& r) { r.on_the_heap = false; }
};
template <std::size_t Requests, std::size_t Connections>
struct promise<fixed<Requests, Connections>> {
  static void of(rules& r) {
    r.on_the_heap = false;
    r.most_requests = Requests;
    r.most_connections = Connections;
  }
};
template <>
struct promise<ipv4> {
  static void of(rules&) {}
};
template <>
struct promise<ipv6> {
  static void of(rules& r) { r.ipv6 = true; }
};
template <>
struct promise<dual> : promise<ipv4> {};  // the runner's peers are mapped
template <class Base>
struct promise<tagged<Base>> : promise<Base> {};

template <>
struct promise<no_budget> {
  static void of(rules&) {}
};
template <unsigned V4Bits, unsigned V6Bits, class Share, std::uint32_t Width, std::uint32_t Rows>
struct promise<per_prefix<V4Bits, V6Bits, Share, Width, Rows>> {
  static void of(rules& r) {
    r.budgets.push_back({V4Bits, [](std::uint64_t limit) { return sizing_promise<Share>::of(limit, 0); }});
  }
};
template <class... Budgets>
struct promise<every<Budgets...>> {
  static void of(rules& r) { (promise<Budgets>::of(r), ...); }
};

}  // namespace listenq::testing
