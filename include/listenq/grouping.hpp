// SPDX-License-Identifier: BSL-1.0
// The questions a group of listeners is asked (where is a request looked for, who is woken) with their models, and what
// it answers and counts. The group itself is in group.hpp.
#pragma once

#include <cstdint>

namespace listenq {

/// Where a segment's request is looked for. `everywhere`: Linux since 4.4, one table for all listeners. `at_home`:
/// Linux to 4.3, a table for each: once the group has changed, an ACK may reach a listener that does not know it, and
/// gets a RST.
enum class found : std::uint8_t { everywhere, at_home };

/// Who of those that block in accept() is woken by a connection. A model: `woken(waiters)`, how many of them; and
/// `migrated`, whether a connection that a sibling handed over wakes at all.
struct wake_one {
  static constexpr bool migrated = true;
  static constexpr std::uint32_t woken(std::uint32_t waiters) noexcept { return waiters > 0 ? 1 : 0; }
};
/// Everybody, of whom all but one wake in vain (epoll without EPOLLEXCLUSIVE).
struct wake_all {
  static constexpr bool migrated = true;
  static constexpr std::uint32_t woken(std::uint32_t waiters) noexcept { return waiters; }
};
/// CVE-2026-46015 (Linux 6.18.24, inet_csk_listen_stop; not 6.18.44): who waits sleeps on over a connection.
struct wake_one_except_migrated : wake_one {
  static constexpr bool migrated = false;
};

/// What `join` says.
enum class join_status : std::uint8_t {
  ok,
  full,               ///< the group has no place for another listener
  other_key,          ///< its hashing has another key than the group's, so its requests could not be handed over
  storage_too_small,  ///< listen() failed, or with migration a member has no room for what waits at all of them
  no_share,           ///< listen() failed: the budget's
};

/// What a group counts beside its members; the first two under the kernel's names TCPMigrateReqSuccess and ...Failure.
struct group_counters {
  std::uint64_t migrate_req_success = 0;
  std::uint64_t migrate_req_failure = 0;
  std::uint64_t wakeups = 0;          ///< of waiters in accept()
  std::uint64_t wakeups_in_vain = 0;  ///< of these, who found nothing
  friend constexpr bool operator==(const group_counters&, const group_counters&) = default;
};

}  // namespace listenq
