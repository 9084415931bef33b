// SPDX-License-Identifier: BSL-1.0
// What things cost in bytes, and that what is stateless costs none. To compile is to pass.
#include <concepts>
#include <listenq/listenq.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_2_6_32.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <type_traits>

using namespace listenq;

namespace sizes_test {

// A request: 64 bytes for IPv4, everything included (DESIGN.md, decision 11).
static_assert(preset::linux_6_18::bytes_per_request == 64);
static_assert(preset::linux_3_12::bytes_per_request <= 64);
static_assert(preset::linux_2_6_32::bytes_per_request <= 64);
static_assert(listener<family<ipv6>>::bytes_per_request <= 96);
static_assert(listener<family<dual>>::bytes_per_request <= 96);
static_assert(listener<family<tagged<ipv4>>>::bytes_per_request <= 80);
// A hand that sweeps needs no timer links; an oldest request that may be evicted needs two more.
static_assert(listener<clockwork<sweep<>>>::bytes_per_request == listener<>::bytes_per_request - 8);
static_assert(listener<request_full<evict_oldest>>::bytes_per_request == listener<>::bytes_per_request + 8);
// A random one needs nothing in the request and a count in the listener, the most retried one nothing at all.
using random_goes = listener<request_full<evict_random>>;
static_assert(random_goes::bytes_per_request == listener<>::bytes_per_request);
static_assert(sizeof(random_goes) == sizeof(listener<>) + 8);
static_assert(listener<request_full<evict_most_retried>>::bytes_per_request == listener<>::bytes_per_request);
static_assert(sizeof(listener<request_full<evict_most_retried>>) == sizeof(listener<>));
// Compact requests: three quarters with timers, and with a hand that sweeps 40 bytes for IPv4 and 64 for IPv6.
static_assert(compact_listener::bytes_per_request == 40);
static_assert(with<compact_listener, family<ipv6>>::bytes_per_request == 64);
static_assert(with<compact_listener, family<dual>>::bytes_per_request == 64);
static_assert(with<compact_listener, clockwork<exact<>>>::bytes_per_request == 48);
static_assert(with<compact_listener, clockwork<exact<>>, family<ipv6>>::bytes_per_request == 72);
static_assert(with<compact_listener, request_full<evict_oldest>>::bytes_per_request == 48);
static_assert(with<compact_listener, requests<own_requests>>::bytes_per_request == 56);
static_assert(std::same_as<compact_listener, listener<validation<linux_validation<linux_era::v3_12>>,
                                                      requests<compact_requests>, clockwork<sweep<10 * millisecond>>>>);
// A syncache: two links, and the bucket where the hash alone no longer tells.
using freebsd_cache = listener<sizing<syncache<512, 30>>, request_full<evict_in_bucket>>;
using openbsd_cache = listener<sizing<syncache<293, 105, 10255, reseeded<>>>, request_full<evict_from_here_on>>;
static_assert(freebsd_cache::bytes_per_request == listener<>::bytes_per_request + 8);
static_assert(openbsd_cache::bytes_per_request <= listener<>::bytes_per_request + 16);
static_assert(sizeof(freebsd_cache) <= sizeof(listener<>) + 512 * 24 + 64);
// A waiting connection: its name and a mark.
static_assert(sizeof(accept_queue<four_tuple, at_listen>::entry) == 16);
static_assert(sizeof(accept_queue<int, at_listen>::entry) == 8);

// Every model without state is an empty type ...
template <class... Ps>
inline constexpr bool empty = (std::is_empty_v<Ps> && ...);
static_assert(empty<to_somaxconn, negative_to_somaxconn, negative_to_zero, zero_to_somaxconn, at_least_80,
                    up_to<255, 1>, windows_hint, as_is>);
static_assert(empty<pipeline<>, pipeline<plus<1>, at_most<256>>, sized_once<pipeline<plus<1>>>>);
static_assert(empty<backlog_plus_one, exactly_backlog, three_halves_plus_one, sum_to_three_times, sum_to_backlog,
                    sum_to_three_halves_plus_one, sum_to_three_halves, three_halves, backlog_16_bits>);
static_assert(empty<from_1s, from_3s, fixed_lifetime<second>, no_pressure, half_table, half_backlog, exact<>, sweep<>>);
static_assert(empty<linux_gates, bsd_gates, syncache_gates>);
static_assert(empty<drop, reset, admit, drop_if_young<>, drop_if_young_above<1, 4>, keep, forget, abort_if_tuned>);
static_assert(empty<evict_oldest, evict_random, evict_most_retried, evict_in_bucket, evict_from_here_on,
                    drop_and_evict_if_both_full, told<evict_oldest>, syncache<1, 1>, every<no_budget>>);
static_assert(empty<no_cookies, no_fast_open, no_deferral, defer_accept<>, await_data, capped<9>, no_budget, unobserved,
                    no_counters>);
static_assert(empty<linux_validation<linux_era::v3_12>, freebsd_validation, freebsd_main_validation, netbsd_validation,
                    openbsd_validation, rfc793_validation, rfc9293_validation, rfc5961_validation, lwip_validation,
                    repeats_syn_ack<rfc793_validation>, takes_any_rst<blind_to_sequence<rfc5961_validation>>>);
static_assert(empty<rfc6528, fixed_isn<1>, linux_6_18_offer, linux_loopback_offer>);
static_assert(empty<forget_requests, leave_to_timer, abort_requests, outlive_listener, fatal, fatal_when_resent,
                    harmless, returned, reported, linux_icmp<linux_era::v6_18>, second_error_after<3>, icmp_ignored,
                    at_listen, handles<>, deferred_child, own_requests, compact_requests, defaults<>>);

// ... and a listener does not grow by one of them.
struct silent_observer {
  static constexpr const char* name = "silent_observer";
};
struct generous_budget : no_budget {
  static constexpr const char* name = "generous_budget";
};
using budget_gates = in_order<gates::known_request, gates::request_queue, gates::budget>;
static_assert(sizeof(listener<observer<silent_observer>, budget<generous_budget>, admission<budget_gates>>) ==
              sizeof(listener<admission<budget_gates>>));
static_assert(sizeof(listener<request_full<reset>, isn<fixed_isn<7>>, closing<abort_requests>>) == sizeof(listener<>));
// What costs: a key, keys for cookies and when the last one was sent, 25 counters, fast open's list of resets, the
// tunables that somebody reads.
static_assert(sizeof(listener<cookies<always<linux_6_18_cookie>>>) == sizeof(listener<>) + 40);
static_assert(sizeof(listener<fast_open<linux_fast_open<linux_era::v6_18, 4>>>) <= sizeof(listener<>) + 4 * 8 + 64);
static_assert(listener<fast_open<linux_fast_open<>>>::bytes_per_request == listener<>::bytes_per_request);
static_assert(sizeof(listener<>) >= sizeof(listener<counters<no_counters>>) + sizeof(counter_values));
static_assert(listener<>::tunables_type::members.size() == 4);
static_assert(sizeof(listener<>::tunables_type) == 16);
static_assert(std::is_empty_v<listener<clamp<as_is>, schedule<fixed_lifetime<second>>, admission<syncache_gates>,
                                       cookies<no_cookies>>::tunables_type>);

// The same choices, the same type.
static_assert(std::same_as<listener<request_full<reset>, family<ipv6>>, listener<family<ipv6>, request_full<reset>>>);
static_assert(std::same_as<listener<request_full<>>, listener<>>);

// Values all the way: what can be copied, replayed and explored.
static_assert(std::is_copy_constructible_v<preset::linux_6_18> && std::is_copy_assignable_v<preset::linux_6_18>);
// Moving copies: nothing that was moved from may point to memory that it does not have.
static_assert(std::is_move_constructible_v<preset::linux_6_18>);
static_assert(std::is_trivially_copyable_v<segment> && std::is_trivially_copyable_v<handshake>);
static_assert(std::is_trivially_copyable_v<request<ipv4>>);
static_assert(std::is_trivially_copyable_v<listener<storage<fixed<4>>>>);
static_assert(!std::is_copy_constructible_v<listener<storage<caller_memory>>>);

}  // namespace sizes_test
