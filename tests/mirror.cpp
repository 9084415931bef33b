// SPDX-License-Identifier: BSL-1.0
// mirror.hpp: a composition as a Hana sequence, and what can be computed from it.
#include <doctest/doctest.h>

#include <boost/hana/equal.hpp>
#include <boost/hana/for_each.hpp>
#include <boost/hana/length.hpp>
#include <concepts>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>

using namespace listenq;
namespace hana = boost::hana;

// A slot that the mirror forgets could not be changed by `with`.
TEST_CASE("the options of a composition answer every slot, and make the same composition again") {
  static_assert(hana::length(options_of<listener<>>) == hana::size_c<29>);
  using again = decltype(hana::unpack(options_of<preset::linux_3_12>,
                                      [](auto... o) { return hana::type_c<listener<typename decltype(o)::type...>>; }));
  CHECK(std::same_as<again::type, preset::linux_3_12>);
}

TEST_CASE("with changes exactly the answers it is given") {
  using l = with<preset::linux_3_12, schedule<from_3s>>;
  CHECK(std::same_as<policy_of<l, slot::schedule>, from_3s>);
  int differ = 0;
  hana::for_each(options_of<preset::linux_3_12>, [&](auto o) {
    using option_type = typename decltype(o)::type;
    differ += !std::same_as<policy_of<l, typename option_type::slot>, typename option_type::policy>;
  });
  CHECK(differ == 1);
  using two = with<l, request_full<reset>, family<ipv6>>;
  CHECK(std::same_as<policy_of<two, slot::request_full>, reset>);
  CHECK(std::same_as<policy_of<two, slot::family>, ipv6>);
  CHECK(std::same_as<policy_of<two, slot::schedule>, from_3s>);
}

TEST_CASE("with the answer it has, a composition stays what it is") {
  CHECK(std::same_as<with<preset::linux_6_18, waiting<backlog_plus_one>>, preset::linux_6_18>);
  CHECK(std::same_as<with<preset::linux_6_18>, preset::linux_6_18>);
}

TEST_CASE("variants are the composition itself and one row for each alternative") {
  constexpr auto rows = variants<listener<>, request_full<reset>, schedule<from_3s>>;
  static_assert(hana::length(rows) == hana::size_c<3>);
  static_assert(rows == hana::tuple_t<listener<>, listener<request_full<reset>>, listener<schedule<from_3s>>>);
  CHECK(hana::length(variants<listener<>>).value == 1);
}
