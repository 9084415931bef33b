// SPDX-License-Identifier: BSL-1.0
// Other clocks, schedules and pressure; sweeps where there were timers and timers where there was a sweep.
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>

#include "driver.hpp"

using namespace property;

TEST_CASE("linux_6_18, aged otherwise") {
  hold_all<preset::linux_6_18>(
      "linux_6_18",
      variants<preset::linux_6_18, pressure<no_pressure>, pressure<half_table>, schedule<from_3s>,
               schedule<fixed_lifetime<75 * second>>, clockwork<exact<tie_order::oldest_first>>, deferral<no_deferral>,
               send_failure<fatal>, send_failure<harmless>, validation<linux_validation<linux_era::v3_12>>>);
}

TEST_CASE("a sweep over a table that grows") {
  using pow2 = pipeline<plus<1>, roundup_pow_of_two>;
  hold_all<preset::linux_6_18>(
      "linux_6_18", boost::hana::tuple_t<with<preset::linux_6_18, clockwork<sweep<200 * millisecond>>, sizing<pow2>>,
                                         with<preset::linux_6_18, clockwork<sweep<200 * millisecond>>, sizing<pow2>,
                                              cookies<no_cookies>, request_full<evict_oldest>, pressure<no_pressure>>>);
}

TEST_CASE("linux_3_12, aged otherwise") {
  hold_all<preset::linux_3_12>(
      "linux_3_12", variants<preset::linux_3_12, clockwork<exact<>>, pressure<no_pressure>, closing<leave_to_timer>,
                             send_failure<fatal_when_resent>, schedule<from_3s>>);
}
