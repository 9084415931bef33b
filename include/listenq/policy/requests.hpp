// SPDX-License-Identifier: BSL-1.0
// requests: does a listener have a request queue of its own, or does it borrow room in one that several listeners
// share? It says who owns the room; how much of it one listener may use is `sizing`'s answer.
//
// When to use which: `own_requests` as Linux does; `borrowed<Pool>` for the BSD syncaches, where one table with one
// limit serves every listener of the system (`shared_requests` in queue/shared_requests.hpp is such a pool).
#pragma once

#include <concepts>

namespace listenq {

/// `borrows`, and for a model that does, `pool`: a pointer to what it borrows from.
template <class P>
concept requests_policy = std::default_initializable<P> && requires {
  { P::borrows } -> std::convertible_to<bool>;
};

/// A request queue of its own.
struct own_requests {
  static constexpr const char* name = "own_requests";
  static constexpr bool borrows = false;
};

/// Room in `*pool`, which outlives the listener. Passed to the constructor; without it listen() says
/// `storage_too_small`. Such a listener is neither copied nor moved: the pool knows it.
template <class Pool>
struct borrowed {
  static constexpr const char* name = "borrowed";
  static constexpr bool borrows = true;
  using pool_type = Pool;
  Pool* pool = nullptr;
};

using default_requests = own_requests;

namespace slot {
struct requests {
  static constexpr const char* name = "requests";
};
}  // namespace slot
/// Keyword: whose request queue it is.
template <requests_policy P = default_requests>
struct requests {
  using slot = listenq::slot::requests;
  using policy = P;
};

}  // namespace listenq
