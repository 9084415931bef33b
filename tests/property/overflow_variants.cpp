// SPDX-License-Identifier: BSL-1.0
// Linux 6.18 with another answer to a full queue, another bound, another order of gates.
#include <listenq/preset/linux_6_18.hpp>

#include "driver.hpp"

using namespace property;

using cookieless = with<preset::linux_6_18, cookies<no_cookies>>;

TEST_CASE("another answer at the SYN") {
  hold_all<preset::linux_6_18>(
      "linux_6_18", variants<preset::linux_6_18, accept_full_at_syn<listenq::reset>, accept_full_at_syn<admit>,
                             accept_full_at_syn<drop_if_young<1>>, cookies<always<linux_6_18_cookie>>,
                             cookies<under_pressure<linux_6_18_cookie>>>);
}

TEST_CASE("another answer at the final ACK") {
  hold_all<preset::linux_6_18>(
      "linux_6_18",
      boost::hana::tuple_t<with<preset::linux_6_18, accept_full_at_ack<forget>, accept_full_at_syn<admit>>,
                           with<preset::linux_6_18, accept_full_at_ack<listenq::reset>>,
                           with<preset::linux_6_18, accept_full_at_ack<keep>>>);
}

TEST_CASE("no cookies") {
  hold_all<preset::linux_6_18>(
      "linux_6_18",
      boost::hana::tuple_t<
          cookieless, with<cookieless, storage<fixed<4, 8>>>, with<cookieless, request_full<listenq::reset>>,
          with<cookieless, request_full<evict_oldest>>,
          with<cookieless, request_full<evict_oldest>, admission<syncache_gates>>,
          with<cookieless, admission<bsd_gates>, accept_full_at_syn<listenq::reset>, send_failure<fatal>>>);
}

TEST_CASE("somebody else makes room") {
  hold_all<preset::linux_6_18>(
      "linux_6_18",
      boost::hana::tuple_t<
          with<cookieless, request_full<told<evict_random>>>,
          with<cookieless, admission<sum_gates>, waiting<sum_to_backlog>, accept_full_at_syn<evict_oldest_or_random>>,
          with<cookieless, admission<late_lookup>, request_full<drop_and_evict_if_both_full>>>);
}

TEST_CASE("the syncaches of the BSDs") {
  hold_all<preset::linux_6_18>(
      "linux_6_18",
      boost::hana::tuple_t<
          with<cookieless, admission<syncache_gates>, sizing<syncache<4, 3, 100>>, request_full<evict_in_bucket>>,
          with<cookieless, admission<bsd_gates>, sizing<syncache<3, 4, 9>>, request_full<evict_from_here_on>,
               waiting<sum_to_three_halves_plus_one>, send_failure<fatal>, closing<abort_requests>>,
          with<cookieless, admission<bsd_gates>, sizing<syncache<4, 3, 40, reseeded<7>>>,
               request_full<evict_from_here_on>, waiting<sum_to_three_times>>>);
}

TEST_CASE("another order of gates, another bound") {
  hold_all<preset::linux_6_18>(
      "linux_6_18", variants<preset::linux_6_18, admission<bsd_gates>, admission<syncache_gates>, sizing<pipeline<>>,
                             sizing<pipeline<exactly<4>>>, waiting<exactly_backlog>, waiting<three_halves_plus_one>,
                             waiting<sum_to_three_times>, waiting<sum_to_backlog>>);
}

// The scripts are worth something only if they get everywhere. Last in this file: it counts what the others have seen.
TEST_CASE("scripts reach every verdict") {
  if (!standard_run) return;
  for (std::size_t i = 0; i < verdict_count; ++i) {
    const auto v = static_cast<verdict>(i);
    if (v == verdict::dropped_over_budget || v == verdict::dropped_by_gate) continue;  // no such gates here
    if (v == verdict::fast_opened) continue;                                           // no SYN has a cookie here
    if (of_other_tables(v)) continue;                                                  // validation_variants.cpp
    CAPTURE(std::string{name_of(v)});
    CHECK(seen[i] > 0);
  }
}
