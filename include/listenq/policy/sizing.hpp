// SPDX-License-Identifier: BSL-1.0
// sizing: how many requests may wait for a backlog of N, written as a pipeline of steps read from left to right.
// The fullness test, the number of hash buckets and the memory taken at listen all follow from this one number.
//
// `pipeline<at_most<256>, at_least<8>, plus<1>, roundup_pow_of_two>`: 1 -> 1 -> 8 -> 9 -> 16. A pipeline without a
// step is N itself. Wrapped in `sized_once<...>`, the first listen() decides and a later one changes nothing, as in
// Linux until 4.3. When to use which: `pipeline<plus<1>>` is Linux today (`Q > N`), `pipeline<>` Linux 4.4 to 2024
// (`Q >= N`: listen(0) admits nobody), `exactly<N>` whoever wants a bound that listen() does not touch: IncludeOS's 64,
// smoltcp's N sockets, the whole memory of a stack without a bound (mTCP, VPP). `syncache` (syncache.hpp) is the BSDs'.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <listenq/policy/tunables.hpp>
#include <type_traits>

namespace listenq {

/// One step: a number in, a number out, no state. It may read tunables.
template <class S>
concept sizing_step = requires(std::uint32_t n, const any_tunables& t) {
  { S::apply(n, t) } -> std::same_as<std::uint32_t>;
};

namespace detail {
/// A bound is a number, or the current value of a tunable.
template <auto Bound>
constexpr std::uint32_t bound(const tunable_source auto& t) noexcept {
  if constexpr (std::same_as<std::remove_cv_t<decltype(Bound)>, tunable>) {
    return t[Bound];
  } else {
    static_assert(Bound >= 0, "listenq: a bound is a number of at least 0 or a tunable.");
    return static_cast<std::uint32_t>(Bound);
  }
}
template <auto Bound>
constexpr tunable_set bound_tunables() noexcept {
  if constexpr (std::same_as<std::remove_cv_t<decltype(Bound)>, tunable>) {
    return tunable_set{Bound};
  } else {
    return {};
  }
}
}  // namespace detail

/// min(n, Bound). `at_most<tunable::max_syn_backlog>` reads the tunable each time.
template <auto Bound>
struct at_most {
  static constexpr const char* name = "at_most";
  static constexpr tunable_set tunables = detail::bound_tunables<Bound>();
  static constexpr std::uint32_t apply(std::uint32_t n, const tunable_source auto& t) noexcept {
    const std::uint32_t b = detail::bound<Bound>(t);
    return n < b ? n : b;
  }
};

/// max(n, Bound).
template <auto Bound>
struct at_least {
  static constexpr const char* name = "at_least";
  static constexpr tunable_set tunables = detail::bound_tunables<Bound>();
  static constexpr std::uint32_t apply(std::uint32_t n, const tunable_source auto& t) noexcept {
    const std::uint32_t b = detail::bound<Bound>(t);
    return n > b ? n : b;
  }
};

/// n + Amount, staying at the largest number instead of wrapping.
template <std::uint32_t Amount>
struct plus {
  static constexpr const char* name = "plus";
  static constexpr std::uint32_t apply(std::uint32_t n, const tunable_source auto&) noexcept {
    return n > 0xffffffffU - Amount ? 0xffffffffU : n + Amount;
  }
};

/// n * Numerator / Denominator, rounded down, staying at the largest number.
template <std::uint32_t Numerator, std::uint32_t Denominator = 1>
struct times {
  static_assert(Denominator > 0, "listenq: times<a, b> multiplies by a / b, and b is 0.");
  static constexpr const char* name = "times";
  static constexpr std::uint32_t apply(std::uint32_t n, const tunable_source auto&) noexcept {
    const std::uint64_t v = std::uint64_t{n} * Numerator / Denominator;
    return v > 0xffffffffU ? 0xffffffffU : static_cast<std::uint32_t>(v);
  }
};

/// The smallest power of two that is at least n; 1 for 0, 2^31 for anything larger than that.
struct roundup_pow_of_two {
  static constexpr const char* name = "roundup_pow_of_two";
  static constexpr std::uint32_t apply(std::uint32_t n, const tunable_source auto&) noexcept {
    return n > 0x80000000U ? 0x80000000U : std::bit_ceil(n);
  }
};

/// What is left of n in a field of so many bits (Linux to 4.3 stores the backlog in 16: listen(65536) is listen(0)
/// there, if somaxconn allows it). For the field, not for counters that wrap: those are not reproduced.
template <unsigned Bits>
struct low_bits {
  static_assert(Bits > 0 && Bits < 32, "listenq: low_bits<n> keeps between 1 and 31 bits.");
  static constexpr const char* name = "low_bits";
  static constexpr std::uint32_t apply(std::uint32_t n, const tunable_source auto&) noexcept {
    return n & ((1U << Bits) - 1U);
  }
};

/// Value, whatever came before.
template <auto Value>
struct exactly {
  static constexpr const char* name = "exactly";
  static constexpr tunable_set tunables = detail::bound_tunables<Value>();
  static constexpr std::uint32_t apply(std::uint32_t, const tunable_source auto& t) noexcept {
    return detail::bound<Value>(t);
  }
};

/// Steps from left to right.
template <sizing_step... Steps>
struct pipeline {
  static constexpr const char* name = "pipeline";
  static constexpr tunable_set tunables = (tunable_set{} | ... | tunables_of<Steps>);
  static constexpr bool once = false;

  static constexpr std::uint32_t apply(std::uint32_t n, const tunable_source auto& t) noexcept {
    ((n = Steps::apply(n, t)), ...);
    return n;
  }
  /// How many requests may wait: the queue is full when it holds that many.
  static constexpr std::uint32_t limit(std::uint32_t backlog, const tunable_source auto& t) noexcept {
    return apply(backlog, t);
  }
};

/// The limit of the first listen() stays; later ones change the accept queue only (Linux to 4.3, whose table is
/// allocated when the socket starts to listen).
template <class Pipeline>
struct sized_once : Pipeline {
  static constexpr const char* name = "sized_once";
  static constexpr bool once = true;
};

using same_as_backlog = pipeline<>;
using backlog_plus_one_requests = pipeline<plus<1>>;

/// `limit(N, tunables)` is how many requests may wait, `once` whether a second listen() leaves it alone.
template <class P>
concept sizing_policy = requires(std::uint32_t n, const any_tunables& t) {
  { P::limit(n, t) } -> std::same_as<std::uint32_t>;
  { P::once } -> std::convertible_to<bool>;
};

using default_sizing = backlog_plus_one_requests;

namespace slot {
struct sizing {
  static constexpr const char* name = "sizing";
};
}  // namespace slot
/// Keyword: how many requests may wait.
template <sizing_policy P = default_sizing>
struct sizing {
  using slot = listenq::slot::sizing;
  using policy = P;
};

}  // namespace listenq
