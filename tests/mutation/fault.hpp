// SPDX-License-Identifier: BSL-1.0
// The switch behind which every fault of a changed copy of the library sits, and the operators that have two meanings.
// `on(N)` is false in constant evaluation: types, static checks and `if constexpr` stay as they are. Nothing is forced
// to be inline: that takes a compiler four times as long.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <type_traits>

namespace listenq_fault {

inline constexpr int most = 200000;
inline const int active = [] {
  const char* const n = std::getenv("LISTENQ_FAULT");
  return n == nullptr ? -1 : std::atoi(n);
}();
inline unsigned char reached[most] = {};

constexpr bool on(int n) noexcept {
  if (std::is_constant_evaluated()) return false;
  reached[n] = 1;
  return n == active;
}

template <class T>
constexpr T plus_one(int n, T value) noexcept {
  return on(n) ? static_cast<T>(value + 1) : value;
}
template <class T>
constexpr T blank(int n, T value) noexcept {
  if constexpr (std::is_default_constructible_v<T>) {
    if (on(n)) return T{};
  }
  return value;
}

#define LISTENQ_FAULT_OPERATOR(name, right, wrong)                                 \
  template <class L, class R>                                                      \
  constexpr decltype(auto) name(int n, const L& l, const R& r) {                   \
    if constexpr (requires { l wrong r; }) {                                       \
      if (on(n)) return static_cast<std::decay_t<decltype(l right r)>>(l wrong r); \
    }                                                                              \
    return static_cast<std::decay_t<decltype(l right r)>>(l right r);              \
  }                                                                                \
  template <class T, std::size_t N, class R>                                       \
  constexpr decltype(auto) name(int n, T(&l)[N], const R& r) {                     \
    return name(n, static_cast<T*>(l), r);                                         \
  }
LISTENQ_FAULT_OPERATOR(lt, <, <=)
LISTENQ_FAULT_OPERATOR(le, <=, <)
LISTENQ_FAULT_OPERATOR(gt, >, >=)
LISTENQ_FAULT_OPERATOR(ge, >=, >)
LISTENQ_FAULT_OPERATOR(plus, +, -)
LISTENQ_FAULT_OPERATOR(minus, -, +)
LISTENQ_FAULT_OPERATOR(times, *, +)
LISTENQ_FAULT_OPERATOR(divided, /, *)
LISTENQ_FAULT_OPERATOR(rest, %, /)
LISTENQ_FAULT_OPERATOR(left, <<, >>)
LISTENQ_FAULT_OPERATOR(right, >>, <<)
LISTENQ_FAULT_OPERATOR(both, &, |)
LISTENQ_FAULT_OPERATOR(either, |, &)
LISTENQ_FAULT_OPERATOR(differ, ^, &)
#undef LISTENQ_FAULT_OPERATOR

}  // namespace listenq_fault
