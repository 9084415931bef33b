// SPDX-License-Identifier: BSL-1.0
// The list of variants: `preset::linux_6_18` with one answer changed. Add a line, a policy of your own, too, and
// `benchmarks/run --only policies` has a row of what it costs.
#pragma once

#include <listenq/mirror.hpp>
#include <listenq/policy/prefix_budget.hpp>
#include <listenq/preset/linux_6_18.hpp>

namespace bench {

using namespace listenq;

inline constexpr auto compared = variants<preset::linux_6_18,                         //
                                          request_full<reset>,                        //
                                          request_full<evict_oldest>,                 //
                                          request_full<evict_random>,                 //
                                          accept_full_at_ack<reset>,                  //
                                          clockwork<exact<tie_order::oldest_first>>,  //
                                          pressure<no_pressure>,                      //
                                          schedule<doubling<second, 1>>,              //
                                          counters<no_counters>,                      //
                                          cookies<no_cookies>,                        //
                                          fast_open<no_fast_open>,                    //
                                          hashing<siphash<1, 3>>,                     //
                                          child<deferred_child>>;

}  // namespace bench
