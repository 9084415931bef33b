// SPDX-License-Identifier: BSL-1.0
// Every contender as one thing: a door that listens with room for so many half-open connections.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/listener.hpp>

namespace bench {

using namespace listenq;

/// Composed from policies: it has tunables to set.
template <class D>
concept composed = requires(D& d) {
  d.set(tunable::somaxconn, std::uint32_t{});
};

/// `room` requests and more fit, none is refused for cookies or for the last quarter.
template <class D>
bool open(D& door, std::uint32_t room, std::uint32_t syncookies = 0) {
  if constexpr (composed<D>) {
    door.set(tunable::somaxconn, 0x7fffffff);
    door.set(tunable::max_syn_backlog, 0x7fffffff);
    door.set(tunable::syncookies, syncookies);
    return bool{door.listen(static_cast<int>(room))};
  } else {
    if constexpr (requires { door.tuned; }) {
      door.tuned.max_syn_backlog = 0x7fffffff;
      door.tuned.syncookies = syncookies;
    }
    return door.listen(room);
  }
}

}  // namespace bench
