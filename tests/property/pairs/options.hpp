// SPDX-License-Identifier: BSL-1.0
// The options whose pairs are tried: for each slot its answers, and which two answers no composition can have, with the
// reason that the listener's own assertions give.
#pragma once

#include <boost/hana/at.hpp>
#include <boost/hana/for_each.hpp>
#include <boost/hana/length.hpp>
#include <boost/hana/tuple.hpp>
#include <listenq/mirror.hpp>
#include <string>
#include <vector>

#include "../holds.hpp"

namespace property {

namespace hana = boost::hana;

using sum_gates = in_order<gates::known_request, gates::accept_queue, gates::refusal>;
using late_lookup = in_order<gates::strict_request_queue, gates::accept_queue, gates::known_request>;
using accept_first = in_order<gates::known_request, gates::accept_queue, gates::strict_request_queue, gates::refusal>;
using budget_gates = in_order<gates::known_request, gates::budget, gates::request_queue, gates::accept_queue,
                              gates::refusal, gates::last_quarter>;
/// At most three requests of one peer address, as many as they like of its network.
using three_a_peer = every<per_prefix<32, 128, exactly<3>>, per_prefix<24, 64, exactly<1000>>>;

/// The answers, slot by slot. What they are called in the table of pairs is their place here.
inline constexpr auto slots = hana::make_tuple(
    hana::tuple_t<validation<linux_validation<linux_era::v2_6_32>>, validation<linux_validation<linux_era::v3_12>>,
                  validation<linux_validation<linux_era::v4_4>>, validation<linux_validation<linux_era::v6_18>>,
                  validation<freebsd_validation>, validation<freebsd_main_validation>, validation<netbsd_validation>,
                  validation<rfc793_validation>, validation<rfc9293_validation>,
                  validation<repeats_syn_ack<rfc5961_validation>>,
                  validation<takes_any_rst<blind_to_sequence<rfc9293_validation>>>>,
    hana::tuple_t<cookies<no_cookies>, cookies<under_pressure<linux_6_18_cookie>>, cookies<always<linux_3_12_cookie>>,
                  cookies<cookies_if_tuned<linux_6_18_cookie>>, cookies<under_pressure_if_tuned<linux_2_6_32_cookie>>,
                  cookies<under_pressure<gvisor_cookie>>, cookies<under_pressure<bernstein_cookie<2>>>,
                  cookies<always<onload_cookie<>>>, cookies<in_every_iss_if_tuned<freebsd_13_cookie>>,
                  cookies<pausing<in_every_iss<freebsd_13_cookie>>>>,
    hana::tuple_t<request_full<drop>, request_full<reset>, request_full<evict_oldest>, request_full<told<evict_random>>,
                  request_full<evict_most_retried>, request_full<evict_in_bucket>, request_full<evict_from_here_on>,
                  request_full<drop_and_evict_if_both_full>>,
    hana::tuple_t<sizing<pipeline<plus<1>>>, sizing<pipeline<>>, sizing<pipeline<exactly<4>>>,
                  sizing<sized_once<pipeline<at_most<tunable::max_syn_backlog>, plus<1>, roundup_pow_of_two>>>,
                  sizing<syncache<4, 3, 9>>, sizing<syncache<3, 4, 12, reseeded<7>>>>,
    hana::tuple_t<waiting<backlog_plus_one>, waiting<exactly_backlog>, waiting<three_halves_plus_one>,
                  waiting<three_halves>, waiting<sum_to_three_halves_plus_one>, waiting<sum_to_three_times>,
                  waiting<sum_to_backlog>>,
    hana::tuple_t<admission<linux_gates>, admission<bsd_gates>, admission<syncache_gates>, admission<sum_gates>,
                  admission<late_lookup>, admission<accept_first>, admission<budget_gates>>,
    hana::tuple_t<accept_full_at_syn<drop>, accept_full_at_syn<reset>, accept_full_at_syn<admit>,
                  accept_full_at_syn<drop_if_young<1>>, accept_full_at_syn<drop_if_young_above<1, 4>>,
                  accept_full_at_syn<evict_oldest_or_random>>,
    hana::tuple_t<counters<linux_counters<linux_era::v2_6_32>>, counters<linux_counters<linux_era::v3_12>>,
                  counters<linux_counters<linux_era::v6_18>>, counters<freebsd_counters>, counters<netbsd_counters>,
                  counters<openbsd_counters>, counters<xnu_counters>, counters<no_counters>>,
    hana::tuple_t<clamp<to_somaxconn>, clamp<as_is>, clamp<at_least_80>, clamp<negative_to_zero>,
                  clamp<zero_to_somaxconn>, clamp<up_to<5, 1>>>,
    hana::tuple_t<schedule<from_1s>, schedule<from_3s>, schedule<fixed_lifetime<75 * second>>,
                  schedule<doubling<500 * millisecond, 3, 2 * second>>,
                  schedule<listed<200 * millisecond, 200 * millisecond, 400 * millisecond>>>,
    hana::tuple_t<family<ipv4>, family<ipv6>, family<dual>, family<tagged<ipv4>>>,
    hana::tuple_t<accept_full_at_ack<keep>, accept_full_at_ack<reset>, accept_full_at_ack<forget>,
                  accept_full_at_ack<abort_if_tuned>>,
    hana::tuple_t<deferral<no_deferral>, deferral<defer_accept<>>, deferral<defer_accept<3 * second>>,
                  deferral<await_data>>,
    hana::tuple_t<closing<forget_requests>, closing<leave_to_timer>, closing<abort_requests>,
                  closing<outlive_listener>>,
    hana::tuple_t<send_failure<fatal>, send_failure<fatal_when_resent>, send_failure<fatal_at_first>,
                  send_failure<harmless>>,
    hana::tuple_t<icmp<linux_icmp<linux_era::v3_12>>, icmp<linux_icmp<linux_era::v6_18>>, icmp<second_error_after<1>>,
                  icmp<icmp_ignored>>,
    hana::tuple_t<clockwork<exact<tie_order::oldest_first>>, clockwork<exact<tie_order::newest_first>>,
                  clockwork<sweep<200 * millisecond>>>,
    hana::tuple_t<pressure<no_pressure>, pressure<half_table>, pressure<half_backlog>>,
    hana::tuple_t<child<handles<>>, child<handles<std::uint32_t>>, child<deferred_child>>,
    hana::tuple_t<aborted_child<returned>, aborted_child<reported>>,
    hana::tuple_t<offer<linux_6_18_offer>, offer<linux_loopback_offer>>,
    hana::tuple_t<budget<no_budget>, budget<three_a_peer>>, hana::tuple_t<isn<rfc6528>, isn<fixed_isn<99>>>,
    hana::tuple_t<storage<at_listen>, storage<fixed<128, 256>>>,
    hana::tuple_t<hashing<siphash<2, 4>>, hashing<siphash<1, 3>>>);
inline constexpr std::size_t slot_count = decltype(hana::length(slots))::value;

/// What of an answer decides with whom it can be.
struct answer {
  std::string name;
  bool cookies = false, cookies_want_buckets = false, in_iss = false;
  bool budget = false;
  bool admission = false, request_gate = false, budget_gate = false, opening_gate = false, late_lookup = false;
  bool sizing = false, buckets = false, moves = false;
  bool evicts_oldest = false, evicts_in_bucket = false, evicts_most_retried = false, evicts_for_acceptance = false;
  bool evicts_anybody = false;
  bool waiting = false, counts_both = false;
  bool sweeps = false;
};
template <class Option>
answer answer_of() {
  using policy = typename Option::policy;
  using slot_t = typename Option::slot;
  answer a;
  a.name = std::string{slot_t::name} + '<' + policy::name + '>';
  if constexpr (std::is_same_v<slot_t, slot::cookies>) {
    a.cookies = policy::possible;
    if constexpr (policy::possible) {
      a.cookies_want_buckets = policy::window_type::needs_buckets || pauses<policy>;
      a.in_iss = policy::in_iss;
    }
  } else if constexpr (std::is_same_v<slot_t, slot::budget>) {
    a.budget = !std::is_same_v<policy, no_budget>;
  } else if constexpr (std::is_same_v<slot_t, slot::admission>) {
    a.admission = true;
    a.request_gate = policy::any([]<class G>() { return G::owner == gate_owner::request_queue; });
    a.budget_gate = policy::any([]<class G>() { return G::owner == gate_owner::budget; });
    a.late_lookup = std::is_same_v<policy, late_lookup>;
    a.opening_gate = policy::any([]<class G>() { return std::is_same_v<G, gates::accept_queue>; });
  } else if constexpr (std::is_same_v<slot_t, slot::sizing>) {
    a.sizing = true;
    a.buckets = bucketed<policy>;
    if constexpr (bucketed<policy>) a.moves = policy::seeds::sets > 1;
  } else if constexpr (std::is_same_v<slot_t, slot::request_full> || std::is_same_v<slot_t, slot::accept_full_at_syn>) {
    constexpr syn_answers how = evictions_of<policy>;
    a.evicts_oldest = how.has(syn_answer::evict_oldest);
    a.evicts_in_bucket = how.any(syn_answer::evict_in_bucket, syn_answer::evict_from_here_on);
    a.evicts_most_retried = how.any(syn_answer::evict_most_retried, syn_answer::drop_and_evict_most_retried);
    a.evicts_anybody =
        std::is_same_v<slot_t, slot::request_full> &&
        how.any(syn_answer::evict_random, syn_answer::evict_random_or_none, syn_answer::evict_most_retried);
    a.evicts_for_acceptance = std::is_same_v<slot_t, slot::accept_full_at_syn> && how != syn_answers{};
  } else if constexpr (std::is_same_v<slot_t, slot::waiting>) {
    a.waiting = true;
    a.counts_both = policy::full({0, 1000000}, 1);
  } else if constexpr (std::is_same_v<slot_t, slot::clockwork>) {
    a.sweeps = policy::sweeps;
  }
  return a;
}
inline std::vector<std::vector<answer>> all_answers() {
  std::vector<std::vector<answer>> all;
  hana::for_each(slots, [&all](auto options) {
    all.emplace_back();
    hana::for_each(options, [&all](auto o) { all.back().push_back(answer_of<typename decltype(o)::type>()); });
  });
  return all;
}

/// Why no composition of the table has both; null if one may.
inline const char* unsupported(const answer& a, const answer& b) {
  const auto one_way = [](const answer& x, const answer& y) -> const char* {
    if (x.cookies && y.admission && !y.request_gate) return "cookies are asked for at gates::request_queue";
    if (x.cookies_want_buckets && y.sizing && !y.buckets)
      return "this window, or pause, wants the buckets of a syncache";
    if (x.moves && y.in_iss) return "a cookie is bound to its bucket, and a new seed moves it";
    // Of the model, not of the listener: the request in the other set is all that there is to be seen.
    if (x.moves && y.late_lookup) return "which bucket a SYN would go to is not seen while it has a request";
    if (x.budget && y.admission && !y.budget_gate) return "a budget is asked at gates::budget";
    if (x.evicts_in_bucket && y.sizing && !y.buckets) return "only a syncache has buckets to evict from";
    if (x.evicts_oldest && y.buckets) return "a syncache knows the oldest of a bucket, not of all";
    if (x.evicts_anybody && (y.buckets || y.cookies_want_buckets))
      return "who goes from another bucket of a syncache makes no room";
    if (x.evicts_oldest && (y.evicts_in_bucket || y.cookies_want_buckets))
      return "one wants a syncache, one cannot have it";
    if (x.evicts_for_acceptance && y.waiting && !y.counts_both) return "evicting helps where both queues are counted";
    if (x.evicts_for_acceptance && y.admission && !y.opening_gate) return "no gate opens when a request goes";
    if (x.evicts_most_retried && y.sweeps) return "who was retried most is read off the timers";
    return nullptr;
  };
  const char* const why = one_way(a, b);
  return why != nullptr ? why : one_way(b, a);
}

/// The option that stands at this place.
template <std::size_t Slot, std::size_t Place>
using option_at = typename std::remove_cvref_t<decltype(hana::at_c<Place>(hana::at_c<Slot>(slots)))>::type;

/// A place as a letter of the table.
constexpr std::size_t place_of(char letter) noexcept {
  return static_cast<std::size_t>(letter <= '9' ? letter - '0' : letter - 'a' + 10);
}

}  // namespace property
