// SPDX-License-Identifier: BSL-1.0
// rules_of: the rules of a composition, slot by slot, from the names of its policies. A policy of yours is not known
// here; say which rule it is supposed to obey,
//
//   template <> struct listenq::testing::promise<my_overflow> : promise<listenq::keep> {};          // that of another
//   template <> struct listenq::testing::promise<my_clamp> { static void of(rules& r) { r.clamp = ...; } };   // its
//   own
//
// or change the `rules` that come out of it by hand. Where one policy serves two slots, `promise_at<Slot, Policy>` says
// what it means at which.
#pragma once

#include <listenq/composition.hpp>
#include <listenq/listener.hpp>
#include <listenq/testing/model/rules.hpp>
#include <string>
#include <type_traits>
#include <utility>

namespace listenq::testing {

/// `of(rules&)` writes down what `Policy` promises.
template <class Policy>
struct promise {
  static_assert(
      sizeof(Policy) == 0,
      "listenq::testing: rules_of does not know what this policy promises; specialize promise<Policy> for it.");
  static void of(rules&) {}
};
/// The same where it depends on the slot.
template <class Slot, class Policy>
struct promise_at : promise<Policy> {};

}  // namespace listenq::testing

#include <listenq/testing/model/promises_of_answers.hpp>
#include <listenq/testing/model/promises_of_cookies.hpp>
#include <listenq/testing/model/promises_of_queues.hpp>
#include <listenq/testing/model/promises_of_segments.hpp>

namespace listenq::testing {

namespace detail {
template <class L, class... Slots>
void promise_all(rules& r) {
  (promise_at<Slots, policy_of<L, Slots>>::of(r), ...);
}
}  // namespace detail

/// What `L` promises.
template <class L>
rules rules_of(std::string name = "a listener") {
  static_assert(!policy_of<L, slot::requests>::borrows,
                "listenq::testing: the model does not cover a request queue that several listeners share.");
  rules r;
  r.name = std::move(name);
  for (std::size_t i = 0; i < tunable_count; ++i) {
    r.tunables[i] = policy_of<L, slot::tunables>::of(static_cast<tunable>(i));
  }
  r.tunable_members = L::tunables_type::members;
  detail::promise_all<L, slot::family, slot::clamp, slot::sizing, slot::waiting, slot::schedule, slot::pressure,
                      slot::clockwork, slot::admission, slot::request_full, slot::accept_full_at_syn,
                      slot::accept_full_at_ack, slot::cookies, slot::validation, slot::deferral, slot::isn,
                      slot::storage, slot::counters, slot::closing, slot::send_failure, slot::aborted_child, slot::icmp,
                      slot::offer, slot::budget, slot::requests>(r);
  return r;
}

}  // namespace listenq::testing
