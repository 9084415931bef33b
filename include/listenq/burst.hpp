// SPDX-License-Identifier: BSL-1.0
// A burst: segments that came together and lie in a row. Whatever has them so will do: a span, a vector, an array. It
// is no type of its own, and not `std::span`, whose header costs every translation unit 20 ms.
#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>

namespace listenq {

/// How many segments a listener looks at before it acts on the first of them: a longer burst gains nothing more.
/// Eight are hashed at once.
inline constexpr std::size_t looked_at_ahead = 32;
static_assert(looked_at_ahead % 8 == 0);

namespace detail {

template <class T, std::size_t N>
constexpr const T* data_of(const T (&row)[N]) noexcept {
  return row;
}
template <class B>
constexpr auto data_of(const B& b) noexcept -> decltype(b.data()) {
  return b.data();
}
template <class T, std::size_t N>
constexpr std::size_t size_of(const T (&)[N]) noexcept {
  return N;
}
template <class B>
constexpr auto size_of(const B& b) noexcept -> decltype(static_cast<std::size_t>(b.size())) {
  return static_cast<std::size_t>(b.size());
}

}  // namespace detail

/// Objects of type `T` in a row, constant or not.
template <class B, class T>
concept row_of = requires(const B& b) {
  requires std::same_as<std::remove_cv_t<std::remove_pointer_t<decltype(detail::data_of(b))>>, T>;
  { detail::size_of(b) } -> std::same_as<std::size_t>;
};

}  // namespace listenq
