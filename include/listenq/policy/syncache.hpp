// SPDX-License-Identifier: BSL-1.0
// syncache: the sizing of the BSDs. Requests belong to buckets by their hash; a bucket holds so many, all of them
// together so many, and listen()'s number changes neither. It says when there is no room; who then makes room is asked
// of `request_full`: `evict_in_bucket` (FreeBSD), `evict_from_here_on` (NetBSD, OpenBSD).
//
// When to use which: `syncache<512, 30, 15360>` is FreeBSD, `syncache<293, 105, 10255>` NetBSD,
// `syncache<293, 105, 10255, reseeded<100000>>` OpenBSD. Costs 8 bytes a request, 12 where it is reseeded, and 24
// bytes a bucket. One syncache for several listeners, as those systems have: `shared_requests` with this sizing.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/policy/sizing.hpp>

namespace listenq {

/// One secret, as long as the syncache lives.
struct seeded_once {
  static constexpr const char* name = "seeded_once";
  static constexpr std::uint32_t sets = 1;
  static constexpr std::uint32_t uses = 0;
};

/// Two sets of buckets, each with a secret of its own. Newcomers go to the active one; when it has taken `Uses` of them
/// or a bucket of it has overflowed, the sets change places as soon as the other is empty, and a set that starts empty
/// gets a new secret (OpenBSD, syn_cache_insert). So a secret never changes under a request.
template <std::uint32_t Uses = 100000>
struct reseeded {
  static_assert(Uses > 0 && Uses < 0x80000000U, "listenq: reseeded<uses> needs between 1 and 2^31 - 1 uses.");
  static constexpr const char* name = "reseeded";
  static constexpr std::uint32_t sets = 2;
  static constexpr std::uint32_t uses = Uses;
};

/// `Buckets` buckets of at most `Depth` requests, at most `Limit` requests in all (with two sets: in each).
template <std::uint32_t Buckets, std::uint32_t Depth, std::uint32_t Limit = Buckets* Depth, class Seeds = seeded_once>
struct syncache {
  static_assert(Buckets > 0 && Depth > 0 && Limit > 0 && Limit <= 0x40000000U,
                "listenq: syncache<buckets, depth, limit> needs room for at least one request, at most for 2^30.");
  static constexpr const char* name = "syncache";
  using seeds = Seeds;
  static constexpr std::uint32_t buckets = Buckets;
  static constexpr std::uint32_t depth = Depth;
  static constexpr std::uint32_t most = Limit;
  static constexpr std::uint32_t room = Limit * Seeds::sets;
  static constexpr bool once = false;
  /// The room for requests, whatever the backlog.
  static constexpr std::uint32_t limit(std::uint32_t, const tunable_source auto&) noexcept { return room; }
};

/// Is this sizing one of buckets?
template <class P>
concept bucketed = requires {
  typename P::seeds;
  { P::buckets } -> std::convertible_to<std::uint32_t>;
  { P::depth } -> std::convertible_to<std::uint32_t>;
  { P::most } -> std::convertible_to<std::uint32_t>;
};

}  // namespace listenq
