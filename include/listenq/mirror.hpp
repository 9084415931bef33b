// SPDX-License-Identifier: BSL-1.0
// The mirror: a composition as a Boost.Hana sequence of its options, to compute with. Tests, benchmarks and tools use
// it to print what differs, to change one answer, to make a row of variants. It is the one public header that includes
// Hana, and nothing in the core needs it.
#pragma once

#include <boost/hana/tuple.hpp>
#include <boost/hana/type.hpp>
#include <boost/hana/unpack.hpp>
#include <listenq/composition.hpp>
#include <listenq/listener.hpp>

namespace listenq {

namespace detail {

template <class List>
struct mirrored;
template <class... Keywords>
struct mirrored<keyword_list<Keywords...>> {
  static constexpr auto options = boost::hana::tuple_t<Keywords...>;
};

/// `Old`, unless `New` answers the same slot.
template <class Old, class... New>
struct replaced {
  using type = Old;
};
template <class Old, class First, class... Rest>
struct replaced<Old, First, Rest...> {
  using type = typename std::conditional_t<std::same_as<typename Old::slot, typename First::slot>,
                                           std::type_identity<First>, replaced<Old, Rest...>>::type;
};

template <option... New>
struct replace_all {
  template <class... Old>
  constexpr auto operator()(Old... old) const {
    return boost::hana::type_c<listener<typename replaced<typename decltype(old)::type, New...>::type...>>;
  }
};

}  // namespace detail

/// The options of a composition in canonical order, every slot answered: a `hana::tuple` of `hana::type`s.
template <class L>
inline constexpr auto options_of = detail::mirrored<detail::keywords_of<L>>::options;

/// `L` with these answers instead of its own. Two that answer the same slot are the usual mistake.
template <class L, option... New>
requires(detail::answers_alone<New, New...>&&...) using with =
    typename decltype(boost::hana::unpack(options_of<L>, detail::replace_all<New...>{}))::type;

/// `L` itself and `L` with each of these answers alone, as a `hana::tuple` of `hana::type`s: rows for tests, benchmarks
/// and tables. One at a time: the number of rows is the number of options plus one.
template <class L, option... Alternatives>
inline constexpr auto variants = boost::hana::tuple_t<L, with<L, Alternatives>...>;

}  // namespace listenq
