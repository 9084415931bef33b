// SPDX-License-Identifier: BSL-1.0
// So many objects in a row, known when compiled: what std::array is, as far as the core needs it. Not more than that:
// it is here because <array> alone takes an eighth of the time that a compiler needs for the core.
#pragma once

#include <cstddef>

namespace listenq {

/// An aggregate: `static_array<int, 3>{1, 2, 3}`. An index must be below `N`.
template <class T, std::size_t N>
struct static_array {
  using value_type = T;
  T items[N > 0 ? N : 1];

  static constexpr std::size_t size() noexcept { return N; }
  constexpr T& operator[](std::size_t i) noexcept { return items[i]; }
  constexpr const T& operator[](std::size_t i) const noexcept { return items[i]; }
  constexpr T* data() noexcept { return items; }
  constexpr const T* data() const noexcept { return items; }
  constexpr T* begin() noexcept { return items; }
  constexpr const T* begin() const noexcept { return items; }
  constexpr T* end() noexcept { return items + N; }
  constexpr const T* end() const noexcept { return items + N; }
  friend constexpr bool operator==(const static_array&, const static_array&) = default;
};

}  // namespace listenq
