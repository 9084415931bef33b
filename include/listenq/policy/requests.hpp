// SPDX-License-Identifier: BSL-1.0
// requests: does a listener have a request queue of its own, or does it borrow room in one that several listeners
// share? It says who owns the room; how much of it one listener may use is `sizing`'s answer.
//
// When to use which: `own_requests` as Linux does; `compact_requests` where memory is what limits the number of
// half-open connections; `borrowed<Pool>` for the BSD syncaches, where one table with one limit serves every listener
// of the system (`shared_requests` in queue/shared_requests.hpp is such a pool).
#pragma once

#include <concepts>

namespace listenq {

/// `borrows`, and for a model that does, `pool`: a pointer to what it borrows from. `compact`, if it has it: are
/// requests kept in the compact layout (queue/compact_requests.hpp)?
template <class P>
concept requests_policy = std::default_initializable<P> && requires {
  { P::borrows } -> std::convertible_to<bool>;
};

/// A request queue of its own.
struct own_requests {
  static constexpr const char* name = "own_requests";
  static constexpr bool borrows = false;
};

/// A request queue of its own in 60 % of the memory: with `clockwork<sweep<>>` 40 bytes for each IPv4 request and 64
/// for IPv6, all included. Deadlines are rounded up to a tick of 4096 us. Not kept, and 0 in what `find_request`
/// yields: how often the SYN-ACK was sent again, its timestamps (a validation that checks the echo needs them) and when
/// the peer was last answered (a rate limit does).
struct compact_requests {
  static constexpr const char* name = "compact_requests";
  static constexpr bool borrows = false;
  static constexpr bool compact = true;
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

namespace detail {
template <class P>
inline constexpr bool is_compact = false;
template <class P>
requires requires { P::compact; }
inline constexpr bool is_compact<P> = P::compact;
}  // namespace detail

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
