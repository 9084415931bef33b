// SPDX-License-Identifier: BSL-1.0
// child: who owns a finished handshake until accept(). The stack makes its connection at the final ACK and the listener
// queues a handle; or, for stacks that cannot, the listener queues the record and the connection is made at accept().
//
// When to use which: `handles<H>` for anything that wants to behave like a kernel, where an unaccepted connection
// acknowledges data and can be reset; the default handle is the four-tuple. `deferred_child` otherwise: bytes that come
// before accept() are nobody's. `capped<n, ...>` where a connection is born with little room: more than n bytes of the
// final ACK are not handed to it, so that it does not acknowledge them, and the peer sends them again.
#pragma once

#include <concepts>
#include <cstddef>
#include <listenq/handshake.hpp>
#include <type_traits>

namespace listenq {

/// `entry<A>`: what waits in the accept queue and comes out of accept(), trivially copyable.
template <class P>
concept child_policy = requires {
  requires std::is_trivially_copyable_v<typename P::template entry<ipv4>>;
  requires std::default_initializable<typename P::template entry<ipv4>>;
  requires std::equality_comparable<typename P::template entry<ipv4>>;
};

/// The name of the connection itself is its handle.
struct by_four_tuple {};

/// The stack's own small handle: an index, a pointer. The sink that is passed to receive() makes it:
/// `make_child(const basic_handshake<A>&, const basic_segment<A>&) -> std::optional<H>`, nothing meaning "refused".
template <class H = by_four_tuple>
struct handles {
  static constexpr const char* name = "handles";
  template <addressing A>
  using entry = std::conditional_t<std::same_as<H, by_four_tuple>, basic_four_tuple<A>, H>;
};

/// The record itself waits.
struct deferred_child {
  static constexpr const char* name = "deferred_child";
  template <addressing A>
  using entry = basic_handshake<A>;
};

using default_child = handles<>;

/// `P`, and of the segment that makes a connection at most `Bytes` bytes of payload are passed to `make_child`; a FIN
/// behind the ones that were cut off is cut off, too. 0: none.
template <std::size_t Bytes, child_policy P = default_child>
struct capped : P {
  static constexpr const char* name = "capped";
  static constexpr std::size_t most_bytes = Bytes;
};

namespace slot {
struct child {
  static constexpr const char* name = "child";
};
}  // namespace slot
/// Keyword: who owns a finished handshake.
template <child_policy P = default_child>
struct child {
  using slot = listenq::slot::child;
  using policy = P;
};

}  // namespace listenq
