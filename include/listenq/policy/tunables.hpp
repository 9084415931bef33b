// SPDX-License-Identifier: BSL-1.0
// Tunables: the answers that a real system lets its administrator change while it runs (sysctls, socket options).
// They are values inside the listener, never pointers to settings outside: a copied or replayed listener keeps its own.
//
// A policy that reads tunables says so: `static constexpr tunable_set tunables = {tunable::somaxconn};`. The listener
// holds exactly the fields that its policies name, none for a composition that names none.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/static_array.hpp>

namespace listenq {

/// What can be tuned. The names are Linux's; another system's knob of the same meaning has the same name here.
enum class tunable : std::uint8_t {
  somaxconn,          ///< net.core.somaxconn, read at listen
  max_syn_backlog,    ///< net.ipv4.tcp_max_syn_backlog, read at listen and, for the 3/4 rule, at each SYN
  syncookies,         ///< net.ipv4.tcp_syncookies, 0 off, 1 under pressure, 2 always; read at each segment
  abort_on_overflow,  ///< net.ipv4.tcp_abort_on_overflow, 0 or 1, read at each final ACK
  synack_retries,     ///< net.ipv4.tcp_synack_retries, 0..255, read at each timeout
  defer_accept,       ///< TCP_DEFER_ACCEPT, seconds, 0 off, read at each ACK and timeout
  fastopen,           ///< net.ipv4.tcp_fastopen, bits (2: for listeners), read at each SYN
  fastopen_qlen,      ///< TCP_FASTOPEN, unfinished fast-open connections allowed, 0 off, read at each SYN
};
inline constexpr std::size_t tunable_count = 8;

constexpr const char* name_of(tunable t) noexcept {
  constexpr static_array<const char*, tunable_count> names{"somaxconn",         "max_syn_backlog", "syncookies",
                                                           "abort_on_overflow", "synack_retries",  "defer_accept",
                                                           "fastopen",          "fastopen_qlen"};
  return names[static_cast<std::size_t>(t)];
}

/// The largest value that the kernel's own table accepts.
constexpr std::uint32_t max_of(tunable t) noexcept {
  switch (t) {
    case tunable::syncookies:
      return 2;
    case tunable::abort_on_overflow:
      return 1;
    case tunable::synack_retries:
      return 255;
    case tunable::defer_accept:
      return 32767;
    default:
      return 0x7fffffff;
  }
}

/// A set of tunables.
struct tunable_set {
  std::uint32_t bits = 0;
  constexpr tunable_set() = default;
  template <std::same_as<tunable>... T>
  constexpr tunable_set(T... t) noexcept : bits{(0U | ... | (1U << static_cast<unsigned>(t)))} {}
  constexpr bool has(tunable t) const noexcept { return ((bits >> static_cast<unsigned>(t)) & 1U) != 0; }
  constexpr std::size_t size() const noexcept { return static_cast<std::size_t>(std::popcount(bits)); }
  /// How many members stand before `t`.
  constexpr std::size_t rank(tunable t) const noexcept {
    return static_cast<std::size_t>(std::popcount(bits & ((1U << static_cast<unsigned>(t)) - 1U)));
  }
  friend constexpr tunable_set operator|(tunable_set a, tunable_set b) noexcept {
    a.bits |= b.bits;
    return a;
  }
  friend constexpr bool operator==(tunable_set, tunable_set) = default;
};

/// The tunables that a policy names; none if it names none.
template <class P>
inline constexpr tunable_set tunables_of{};
template <class P>
requires requires { P::tunables; }
inline constexpr tunable_set tunables_of<P> = P::tunables;

/// The value a tunable starts with.
template <tunable T, std::uint32_t Value>
struct tuned {
  static_assert(Value <= max_of(T), "listenq: this default is larger than the tunable allows.");
  static constexpr tunable which = T;
  static constexpr std::uint32_t value = Value;
};

/// Starting values; a tunable that is not named starts as on Linux 6.18.
template <class... Tuned>
struct defaults {
  static_assert(((0U + ... + (1U << static_cast<unsigned>(Tuned::which))) ==
                 (0U | ... | (1U << static_cast<unsigned>(Tuned::which)))),
                "listenq: defaults<...> names a tunable twice; keep one of them.");
  static constexpr const char* name = "defaults";
  static constexpr std::uint32_t of(tunable t) noexcept { return values[static_cast<std::size_t>(t)]; }

 private:
  static constexpr static_array<std::uint32_t, tunable_count> values = [] {
    static_array<std::uint32_t, tunable_count> v{4096, 1024, 1, 0, 5, 0, 1, 0};  // Linux 6.18
    ((v[static_cast<std::size_t>(Tuned::which)] = Tuned::value), ...);
    return v;
  }();
};

template <class P>
concept tunable_defaults = requires(tunable t) {
  { P::of(t) } -> std::same_as<std::uint32_t>;
};

/// The current values: one field for each member of `Set`, nothing else.
template <tunable_set Set, tunable_defaults Defaults>
class tunable_values {
 public:
  static constexpr tunable_set members = Set;

  constexpr tunable_values() noexcept {
    for (std::size_t i = 0; i < tunable_count; ++i) {
      const auto t = static_cast<tunable>(i);
      if (Set.has(t)) values_[Set.rank(t)] = Defaults::of(t);
    }
  }
  /// The value in force; for a tunable that nobody here reads, its default.
  constexpr std::uint32_t operator[](tunable t) const noexcept {
    return Set.has(t) ? values_[Set.rank(t)] : Defaults::of(t);
  }
  /// `t` must be a member and `value` in range; the listener's `set` checks both.
  constexpr void assign(tunable t, std::uint32_t value) noexcept { values_[Set.rank(t)] = value; }

 private:
  static_array<std::uint32_t, Set.size()> values_{};
};

template <tunable_set Set, tunable_defaults Defaults>
requires(Set.size() == 0) class tunable_values<Set, Defaults> {
 public:
  static constexpr tunable_set members = Set;
  constexpr std::uint32_t operator[](tunable t) const noexcept { return Defaults::of(t); }
  constexpr void assign(tunable, std::uint32_t) noexcept {}
};

/// What a policy that reads tunables is handed: anything that yields a number for a name.
template <class T>
concept tunable_source = requires(const T& t, tunable which) {
  { t[which] } -> std::convertible_to<std::uint32_t>;
};

/// Stands for any source in the concepts of the policies.
using any_tunables = tunable_values<tunable_set{}, defaults<>>;

namespace slot {
struct tunables {
  static constexpr const char* name = "tunables";
};
}  // namespace slot
/// Keyword: the starting values of the tunables.
template <tunable_defaults P = defaults<>>
struct tunables {
  using slot = listenq::slot::tunables;
  using policy = P;
};

}  // namespace listenq
