// SPDX-License-Identifier: BSL-1.0
// What models each concept, and right below it what does not. To compile is to pass.
#include <cstddef>
#include <listenq/listenq.hpp>
#include <optional>

using namespace listenq;

namespace concepts_test {

struct nothing {};

// --- address.hpp ---
static_assert(addressing<ipv4> && addressing<ipv6> && addressing<dual>);
static_assert(addressing<tagged<ipv4>> && addressing<tagged<tagged<ipv6>>>);
static_assert(!addressing<nothing> && !addressing<int> && !addressing<ipv4::address>);
struct no_equality {
  struct address {};
  static constexpr std::size_t words = 1;
  static constexpr std::uint32_t word(const address&, std::size_t) { return 0; }
};
struct no_words : ipv4 {
  static constexpr std::nullptr_t words = nullptr;
};
struct owning {
  struct address {
    address() = default;
    address(const address&) {}
    bool operator==(const address&) const = default;
  };
  static constexpr std::size_t words = 1;
  static constexpr std::uint32_t word(const address&, std::size_t) { return 0; }
};
static_assert(!addressing<no_equality> && !addressing<no_words> && !addressing<owning>);

// --- sink.hpp ---
static_assert(sink<null_sink, ipv4> && sink<null_sink, ipv6>);
struct boolean_sink {
  bool send(const segment&);
};
struct ipv4_sink {
  send_result send(const segment&);
};
static_assert(sink<ipv4_sink, ipv4>);
static_assert(!sink<ipv4_sink, ipv6> && !sink<boolean_sink, ipv4> && !sink<nothing, ipv4>);

// --- option.hpp ---
static_assert(option<request_full<reset>> && option<family<>> && option<tunables<>>);
static_assert(!option<reset> && !option<int> && !option<nothing>);

// --- clamp ---
static_assert(clamp_policy<to_somaxconn> && clamp_policy<as_is> && clamp_policy<at_least_80>);
struct signed_clamp {
  static int clamp(int n, const auto&) { return n; }
};
static_assert(!clamp_policy<signed_clamp> && !clamp_policy<reset> && !clamp_policy<nothing>);

// --- sizing, its steps ---
static_assert(sizing_step<at_most<5>> && sizing_step<exactly<tunable::somaxconn>> && sizing_step<pipeline<>>);
static_assert(!sizing_step<to_somaxconn> && !sizing_step<nothing>);
static_assert(sizing_policy<pipeline<plus<1>>> && sizing_policy<sized_once<pipeline<>>> &&
              sizing_policy<same_as_backlog>);
static_assert(!sizing_policy<plus<1>> && !sizing_policy<backlog_plus_one> && !sizing_policy<nothing>);

// --- waiting ---
static_assert(waiting_policy<backlog_plus_one> && waiting_policy<sum_to_backlog> && waiting_policy<over<exactly<3>>>);
static_assert(!waiting_policy<pipeline<plus<1>>> && !waiting_policy<nothing>);

// --- schedule ---
static_assert(schedule_policy<from_1s> && schedule_policy<doubling<second, 3>> &&
              schedule_policy<fixed_lifetime<second>>);
struct no_classes {
  static duration timeout(std::uint32_t) { return 1; }
  static std::uint32_t retries(const auto&) { return 1; }
};
static_assert(!schedule_policy<no_classes> && !schedule_policy<sweep<>> && !schedule_policy<nothing>);

// --- pressure ---
static_assert(pressure_policy<no_pressure> && pressure_policy<half_table> && pressure_policy<half_backlog>);
static_assert(!pressure_policy<from_1s> && !pressure_policy<nothing>);

// --- clockwork ---
static_assert(clockwork_policy<exact<>> && clockwork_policy<sweep<>>);
struct sweeps_without_budget {
  static constexpr bool sweeps = true;
  static constexpr duration period = 1;
};
struct exact_without_ties {
  static constexpr bool sweeps = false;
};
static_assert(!clockwork_policy<sweeps_without_budget> && !clockwork_policy<exact_without_ties>);
static_assert(!clockwork_policy<half_table> && !clockwork_policy<nothing>);

// --- admission ---
static_assert(gate<gates::known_request> && gate<gates::last_quarter> && gate<gates::budget>);
static_assert(!gate<drop> && !gate<nothing>);
static_assert(admission_policy<linux_gates> && admission_policy<in_order<gates::known_request>>);
static_assert(!admission_policy<gates::known_request> && !admission_policy<nothing>);

// --- overflow ---
static_assert(request_full_policy<drop> && request_full_policy<reset> && request_full_policy<evict_oldest>);
static_assert(!request_full_policy<admit> && !request_full_policy<keep> && !request_full_policy<drop_if_young<1>>);
static_assert(accept_full_at_syn_policy<drop> && accept_full_at_syn_policy<reset> && accept_full_at_syn_policy<admit> &&
              accept_full_at_syn_policy<drop_if_young<1>>);
static_assert(accept_full_at_syn_policy<evict_oldest> && accept_full_at_syn_policy<evict_oldest_or_random>);
static_assert(!accept_full_at_syn_policy<drop_and_evict_if_both_full> && !accept_full_at_syn_policy<keep>);
static_assert(request_full_policy<evict_oldest_or_random> && request_full_policy<told<evict_in_bucket>>);
static_assert(tells_evicted<told<evict_oldest>> && !tells_evicted<evict_oldest>);
static_assert(accept_full_at_ack_policy<keep> && accept_full_at_ack_policy<reset> &&
              accept_full_at_ack_policy<forget> && accept_full_at_ack_policy<abort_if_tuned>);
static_assert(!accept_full_at_ack_policy<drop> && !accept_full_at_ack_policy<nothing>);

// --- cookies ---
static_assert(cookie_codec<linux_6_18_cookie>);
static_assert(!cookie_codec<siphash<>> && !cookie_codec<nothing>);
static_assert(cookie_codec<linux_2_6_32_cookie> && cookie_codec<linux_3_12_cookie> && cookie_codec<freebsd_13_cookie> &&
              cookie_codec<bernstein_cookie<>> && cookie_codec<gvisor_cookie> && cookie_codec<onload_cookie<>> &&
              cookie_codec<tldk_cookie>);
static_assert(cookies_policy<under_pressure_if_tuned<linux_2_6_32_cookie>> &&
              cookies_policy<pausing<in_every_iss<freebsd_13_cookie>>> &&
              cookies_policy<in_every_iss_if_tuned<freebsd_13_cookie>>);
static_assert(cookies_policy<no_cookies> && cookies_policy<always<linux_6_18_cookie>> &&
              cookies_policy<under_pressure<linux_6_18_cookie>> && cookies_policy<cookies_if_tuned<linux_6_18_cookie>>);
static_assert(!cookies_policy<linux_6_18_cookie> && !cookies_policy<nothing>);

// --- validation ---
static_assert(validation_policy<linux_validation<linux_era::v2_6_32>>);
static_assert(validation_policy<freebsd_validation> && validation_policy<netbsd_validation> &&
              validation_policy<openbsd_validation> && validation_policy<rfc793_validation> &&
              validation_policy<rfc9293_validation> && validation_policy<rfc5961_validation> &&
              validation_policy<lwip_validation> && validation_policy<repeats_syn_ack<rfc793_validation>>);
static_assert(!validation_policy<rfc_table>);
struct only_judges {
  static request_answer judge(const request_facts&) { return request_answer::ignore; }
};
static_assert(!validation_policy<only_judges> && !validation_policy<nothing>);

// --- deferral, fast open ---
static_assert(deferral_policy<no_deferral> && deferral_policy<defer_accept<3 * second>> && deferral_policy<await_data>);
static_assert(!deferral_policy<from_1s> && !deferral_policy<nothing>);
static_assert(fast_open_policy<no_fast_open> && !fast_open_policy<nothing>);
static_assert(fast_open_policy<linux_fast_open<>> && fast_open_policy<linux_fast_open<linux_era::v3_12, 1>>);
struct only_possible {
  static constexpr bool possible = true;
};
static_assert(!fast_open_policy<only_possible>);

// --- hashing, isn ---
static_assert(hashing_policy<siphash<1, 3>> && hashing_policy<siphash<>> && hashing_policy<aes128>);
struct narrow_hash {
  std::uint32_t hash(const std::uint32_t*, std::size_t) const { return 0; }
};
static_assert(!hashing_policy<narrow_hash> && !hashing_policy<rfc6528> && !hashing_policy<nothing>);
static_assert(isn_policy<rfc6528> && isn_policy<fixed_isn<0>>);
static_assert(!isn_policy<siphash<>> && !isn_policy<nothing>);

// --- storage ---
static_assert(storage_policy<fixed<1>> && storage_policy<fixed<8, 2>> && storage_policy<at_listen> &&
              storage_policy<caller_memory>);
static_assert(!storage_policy<nothing> && !storage_policy<int>);

// --- counters, observer ---
static_assert(counters_policy<no_counters> && counters_policy<linux_counters<linux_era::v3_12>>);
struct counts_segments_only {
  void count(const outcome&) {}
};
static_assert(!counters_policy<counts_segments_only> && !counters_policy<nothing>);
static_assert(counters_policy<freebsd_counters> && counters_policy<netbsd_counters> &&
              counters_policy<openbsd_counters> && counters_policy<xnu_counters>);
static_assert(observer_policy<unobserved> && observer_policy<event_log<>> && observer_policy<by_cause<>>);
static_assert(!observer_policy<nothing>);

// --- lifecycle ---
static_assert(closing_policy<forget_requests> && closing_policy<leave_to_timer> && closing_policy<abort_requests> &&
              closing_policy<outlive_listener>);
static_assert(!closing_policy<fatal> && !closing_policy<nothing>);
static_assert(send_failure_policy<fatal> && send_failure_policy<fatal_when_resent> && send_failure_policy<harmless>);
static_assert(!send_failure_policy<returned> && !send_failure_policy<nothing>);
static_assert(aborted_child_policy<returned> && aborted_child_policy<reported>);
static_assert(!aborted_child_policy<harmless> && !aborted_child_policy<nothing>);

static_assert(icmp_policy<linux_icmp<linux_era::v3_12>> && icmp_policy<second_error_after<3>> &&
              icmp_policy<icmp_ignored>);
static_assert(!icmp_policy<harmless> && !icmp_policy<nothing>);

// --- offer, budget, child, requests, tunables ---
static_assert(offer_policy<linux_6_18_offer> && offer_policy<linux_loopback_offer> && !offer_policy<nothing>);
static_assert(budget_policy<no_budget> && !budget_policy<nothing>);
static_assert(child_policy<handles<>> && child_policy<handles<int>> && child_policy<deferred_child> &&
              child_policy<capped<1460>> && child_policy<capped<0, handles<int>>>);
struct heavy_handles {
  struct handle {
    handle() = default;
    handle(const handle&) {}
    bool operator==(const handle&) const = default;
  };
  template <addressing A>
  using entry = handle;
};
static_assert(!child_policy<heavy_handles> && !child_policy<nothing>);
static_assert(requests_policy<own_requests> && requests_policy<compact_requests> &&
              requests_policy<borrowed<shared_requests<>>> && !requests_policy<nothing>);
static_assert(tunable_defaults<defaults<>> && tunable_defaults<defaults<tuned<tunable::somaxconn, 1>>> &&
              !tunable_defaults<nothing>);
static_assert(tunable_source<any_tunables> && !tunable_source<nothing>);

}  // namespace concepts_test
