// SPDX-License-Identifier: BSL-1.0
// The list of variants: `preset::linux_6_18` with one answer changed. Add a line, a policy of your own, too:
//   benchmarks/run --only policies   has a row of what it costs, in time and bytes
//   benchmarks/run --only attacks    has a row of what it survives
#pragma once

#include <listenq/compact.hpp>
#include <listenq/mirror.hpp>
#include <listenq/policy/aes128.hpp>
#include <listenq/policy/prefix_budget.hpp>
#include <listenq/preset/freebsd_13.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <listenq/preset/lwip.hpp>
#include <listenq/preset/netbsd.hpp>
#include <listenq/preset/openbsd.hpp>
#include <listenq/preset/windows_nt.hpp>
#include <listenq/preset/xnu.hpp>

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
                                          hashing<aes128>,                            //
                                          child<deferred_child>>;

/// Two answers at once: nobody's /24 may have more than a quarter of the queue.
using shared_fairly =
    with<preset::linux_6_18, cookies<no_cookies>, budget<per_prefix<24, 64, times<1, 4>>>,
         admission<in_order<gates::known_request, gates::budget, gates::request_queue, gates::accept_queue>>>;

/// Whole systems, for the attacks: each with its own answers to everything.
template <class Visit>
void each_system(Visit visit) {
  visit.template operator()<shared_fairly>("linux_6_18, a quarter a /24");
  visit.template operator()<compact_listener>("compact_listener");
  visit.template operator()<preset::linux_3_12>("linux_3_12");
  visit.template operator()<preset::freebsd_13>("freebsd_13");
  visit.template operator()<preset::netbsd>("netbsd");
  visit.template operator()<preset::openbsd>("openbsd");
  visit.template operator()<preset::xnu>("xnu");
  visit.template operator()<preset::windows_nt>("windows_nt");
  visit.template operator()<preset::lwip>("lwip");
}

}  // namespace bench
