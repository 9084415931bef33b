// SPDX-License-Identifier: BSL-1.0
// The composition: which slots there are, in their canonical order, and what `listener<options...>` becomes of them.
// The same answers are the same type however they were spelled. A mistake ends here, in one sentence.
#pragma once

#include <listenq/option.hpp>
#include <listenq/policy/admission.hpp>
#include <listenq/policy/bsd_counters.hpp>
#include <listenq/policy/bsd_validation.hpp>
#include <listenq/policy/budget.hpp>
#include <listenq/policy/by_cause.hpp>
#include <listenq/policy/child.hpp>
#include <listenq/policy/clamp.hpp>
#include <listenq/policy/clockwork.hpp>
#include <listenq/policy/cookies.hpp>
#include <listenq/policy/counters.hpp>
#include <listenq/policy/deferral.hpp>
#include <listenq/policy/eviction.hpp>
#include <listenq/policy/family.hpp>
#include <listenq/policy/fast_open.hpp>
#include <listenq/policy/hashing.hpp>
#include <listenq/policy/icmp.hpp>
#include <listenq/policy/isn.hpp>
#include <listenq/policy/lifecycle.hpp>
#include <listenq/policy/observer.hpp>
#include <listenq/policy/offer.hpp>
#include <listenq/policy/overflow.hpp>
#include <listenq/policy/prefix_budget.hpp>
#include <listenq/policy/pressure.hpp>
#include <listenq/policy/requests.hpp>
#include <listenq/policy/rfc_validation.hpp>
#include <listenq/policy/schedule.hpp>
#include <listenq/policy/shared_budget.hpp>
#include <listenq/policy/sizing.hpp>
#include <listenq/policy/storage.hpp>
#include <listenq/policy/syncache.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/policy/validation.hpp>
#include <listenq/policy/waiting.hpp>
#include <type_traits>

namespace listenq {

/// One policy for each slot, in canonical order. Everything that works on compositions works on this list.
template <class Clamp, class Sizing, class Waiting, class Schedule, class Pressure, class Clockwork, class Admission,
          class RequestFull, class AcceptFullAtSyn, class AcceptFullAtAck, class Cookies, class Validation,
          class Deferral, class FastOpen, class Hashing, class Isn, class Family, class Storage, class Counters,
          class Observer, class Closing, class SendFailure, class AbortedChild, class Icmp, class Offer, class Budget,
          class Child, class Requests, class Tunables>
struct composition {
  using clamp = Clamp;
  using sizing = Sizing;
  using waiting = Waiting;
  using schedule = Schedule;
  using pressure = Pressure;
  using clockwork = Clockwork;
  using admission = Admission;
  using request_full = RequestFull;
  using accept_full_at_syn = AcceptFullAtSyn;
  using accept_full_at_ack = AcceptFullAtAck;
  using cookies = Cookies;
  using validation = Validation;
  using deferral = Deferral;
  using fast_open = FastOpen;
  using hashing = Hashing;
  using isn = Isn;
  using family = Family;
  using storage = Storage;
  using counters = Counters;
  using observer = Observer;
  using closing = Closing;
  using send_failure = SendFailure;
  using aborted_child = AbortedChild;
  using icmp = Icmp;
  using offer = Offer;
  using budget = Budget;
  using child = Child;
  using requests = Requests;
  using tunables = Tunables;

  /// What can be tuned.
  static constexpr tunable_set tunable_members =
      tunables_of<Clamp> | tunables_of<Sizing> | tunables_of<Waiting> | tunables_of<Schedule> | tunables_of<Pressure> |
      tunables_of<Clockwork> | tunables_of<Admission> | tunables_of<RequestFull> | tunables_of<AcceptFullAtSyn> |
      tunables_of<AcceptFullAtAck> | tunables_of<Cookies> | tunables_of<Validation> | tunables_of<Deferral> |
      tunables_of<FastOpen> | tunables_of<Closing> | tunables_of<SendFailure> | tunables_of<Offer>;
};

template <class Composition>
class basic_listener;

namespace detail {

template <class O>
concept answers_a_slot =
    answers_one_of<O, slot::clamp, slot::sizing, slot::waiting, slot::schedule, slot::pressure, slot::clockwork,
                   slot::admission, slot::request_full, slot::accept_full_at_syn, slot::accept_full_at_ack,
                   slot::cookies, slot::validation, slot::deferral, slot::fast_open, slot::hashing, slot::isn,
                   slot::family, slot::storage, slot::counters, slot::observer, slot::closing, slot::send_failure,
                   slot::aborted_child, slot::icmp, slot::offer, slot::budget, slot::child, slot::requests,
                   slot::tunables>;

/// Reached only by a mistake: says which one, then goes on with the defaults so that nothing else fails.
template <class... Os>
struct compose {
  static constexpr bool are_options = (option<Os> && ...);
  static constexpr bool have_slots = ((!option<Os> || answers_a_slot<Os>)&&...);
  static_assert(are_options,
                "listenq::listener: each argument is a keyword around a policy; write request_full<reset>, not reset.");
  static_assert(have_slots, "listenq::listener: an argument answers a slot that no listener has.");
  static_assert(!are_options || !have_slots,
                "listenq::listener: two arguments answer the same slot; keep one of them.");
  template <class Slot, class Default>
  using answer = Default;
};

template <option... Os>
requires((answers_alone<Os, Os...> && answers_a_slot<Os>)&&...) struct compose<Os...> {
  template <class Slot, class Default>
  using answer = pick<Slot, Default, Os...>;
};

template <class C>
using listener_of = basic_listener<composition<
    typename C::template answer<slot::clamp, default_clamp>, typename C::template answer<slot::sizing, default_sizing>,
    typename C::template answer<slot::waiting, default_waiting>,
    typename C::template answer<slot::schedule, default_schedule>,
    typename C::template answer<slot::pressure, default_pressure>,
    typename C::template answer<slot::clockwork, default_clockwork>,
    typename C::template answer<slot::admission, default_admission>,
    typename C::template answer<slot::request_full, default_request_full>,
    typename C::template answer<slot::accept_full_at_syn, default_accept_full_at_syn>,
    typename C::template answer<slot::accept_full_at_ack, default_accept_full_at_ack>,
    typename C::template answer<slot::cookies, default_cookies>,
    typename C::template answer<slot::validation, default_validation>,
    typename C::template answer<slot::deferral, default_deferral>,
    typename C::template answer<slot::fast_open, default_fast_open>,
    typename C::template answer<slot::hashing, default_hashing>, typename C::template answer<slot::isn, default_isn>,
    typename C::template answer<slot::family, default_family>,
    typename C::template answer<slot::storage, default_storage>,
    typename C::template answer<slot::counters, default_counters>,
    typename C::template answer<slot::observer, default_observer>,
    typename C::template answer<slot::closing, default_closing>,
    typename C::template answer<slot::send_failure, default_send_failure>,
    typename C::template answer<slot::aborted_child, default_aborted_child>,
    typename C::template answer<slot::icmp, default_icmp>, typename C::template answer<slot::offer, default_offer>,
    typename C::template answer<slot::budget, default_budget>, typename C::template answer<slot::child, default_child>,
    typename C::template answer<slot::requests, default_requests>,
    typename C::template answer<slot::tunables, defaults<>>>>;

template <class L>
struct composition_of;
template <class Composition>
struct composition_of<basic_listener<Composition>> {
  using type = Composition;
};
/// The policies of the listener `L`, by slot. It need not be complete.
template <class L>
using policies = typename composition_of<L>::type;

/// The keywords of a composition, every slot answered, in canonical order.
template <class... Keywords>
struct keyword_list {};

/// Those of the listener `L`.
template <class L, class P = policies<L>>
using keywords_of =
    keyword_list<clamp<typename P::clamp>, sizing<typename P::sizing>, waiting<typename P::waiting>,
                 schedule<typename P::schedule>, pressure<typename P::pressure>, clockwork<typename P::clockwork>,
                 admission<typename P::admission>, request_full<typename P::request_full>,
                 accept_full_at_syn<typename P::accept_full_at_syn>, accept_full_at_ack<typename P::accept_full_at_ack>,
                 cookies<typename P::cookies>, validation<typename P::validation>, deferral<typename P::deferral>,
                 fast_open<typename P::fast_open>, hashing<typename P::hashing>, isn<typename P::isn>,
                 family<typename P::family>, storage<typename P::storage>, counters<typename P::counters>,
                 observer<typename P::observer>, closing<typename P::closing>, send_failure<typename P::send_failure>,
                 aborted_child<typename P::aborted_child>, icmp<typename P::icmp>, offer<typename P::offer>,
                 budget<typename P::budget>, child<typename P::child>, requests<typename P::requests>,
                 tunables<typename P::tunables>>;

template <class Slot, class List>
struct answer_in;
template <class Slot, class... Keywords>
struct answer_in<Slot, keyword_list<Keywords...>> {
  using type = pick<Slot, void, Keywords...>;
};

/// A policy's place in a listener. Two slots with the same stateful policy have a value each; a stateless policy has no
/// place at all.
template <class Slot, class Policy>
struct held {
  Policy value{};
  constexpr Policy& get() noexcept { return value; }
  constexpr const Policy& get() const noexcept { return value; }
};
template <class Slot, class Policy>
requires std::is_empty_v<Policy>
struct held<Slot, Policy> {
  static constexpr Policy get() noexcept { return {}; }
};

}  // namespace detail

/// What a composition answers for a slot: `policy_of<preset::linux_3_12, slot::sizing>`.
template <class L, class Slot>
using policy_of = typename detail::answer_in<Slot, detail::keywords_of<L>>::type;

/// A listener with these answers; the slots that are not named have their defaults.
template <class... Options>
using listener = detail::listener_of<detail::compose<Options...>>;

}  // namespace listenq
