// SPDX-License-Identifier: BSL-1.0
// Options: how a composition is written. An option is a keyword around a policy, `request_full<reset>`; options come in
// any order and each slot is answered at most once. This header finds the answer to a slot and explains mistakes; what
// the slots are, `listener.hpp` says.
//
// The lookup is overload resolution on a base class: an `entry<Slot, Policy>` for each option, one inheriting type.
// Nothing is instantiated for an option but that one base.
#pragma once

#include <concepts>

namespace listenq {

/// An option names the slot that it answers and the policy that it answers with.
template <class O>
concept option = requires {
  typename O::slot;
  typename O::policy;
};

namespace detail {

template <class Slot, class Policy>
struct entry {};

template <class... Os>
struct entries : entry<typename Os::slot, typename Os::policy>... {};

template <class Slot, class Default>
Default lookup(...);
template <class Slot, class Default, class Policy>
Policy lookup(const entry<Slot, Policy>*);

/// What `Os` answer for `Slot`, `Default` if they do not.
template <class Slot, class Default, class... Os>
using pick = decltype(lookup<Slot, Default>(static_cast<const entries<Os...>*>(nullptr)));

/// Is `O` the only one of `All` that answers its slot?
template <class O, class... All>
concept answers_alone = (0 + ... + std::same_as<typename O::slot, typename All::slot>) == 1;

/// Does `O` answer one of these slots?
template <class O, class... Slots>
concept answers_one_of = (std::same_as<typename O::slot, Slots> || ...);

}  // namespace detail

}  // namespace listenq
