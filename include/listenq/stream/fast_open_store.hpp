// SPDX-License-Identifier: BSL-1.0
// What a client remembers of servers for fast open (RFC 7413 4.1.3): the cookie that a server gave it, and its MSS.
// The connector asks and tells a store of the caller's; `fast_open_cache` is a small one.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/address.hpp>
#include <listenq/segment.hpp>

namespace listenq {

/// One server, as remembered.
struct fast_open_memory {
  fast_open_option cookie = fast_open_option::request();  ///< to show next time; a request when there is none yet
  std::uint16_t mss = 536;                                ///< what the server's SYN-ACK said; bounds the data of a SYN
};

/// `find(server)`: what to show it, a request when nothing is known. `remember(server, memory)`: it gave a cookie.
/// `distrust(server)`: a SYN with data got lost and an ordinary one did not: no fast open there for a while (RFC 7413
/// 4.1.3.1, tcp_fastopen_active_disable); `find` then yields no option at all.
template <class S, class A>
concept fast_open_store = addressing<A> &&
    requires(S& s, const typename A::address& server, const fast_open_memory& m) {
  { s.find(server) } -> std::same_as<fast_open_memory>;
  s.remember(server, m);
  s.distrust(server);
};

/// The last `N` servers; a new one takes the place of the one that was written longest ago. A distrusted one stays so
/// until its place is taken.
template <addressing A, std::size_t N = 16>
class fast_open_cache {
  static_assert(N > 0, "listenq: a fast_open_cache of 0 servers remembers nothing.");

 public:
  constexpr fast_open_memory find(const typename A::address& server) const noexcept {
    for (const entry& e : entries_) {
      if (e.server == server) return e.memory;
    }
    return {};
  }
  constexpr void remember(const typename A::address& server, const fast_open_memory& m) noexcept {
    for (entry& e : entries_) {
      if (e.server == server) return void(e.memory = m);
    }
    entries_[next_] = {server, m};
    next_ = next_ + 1 == N ? 0 : next_ + 1;
  }
  constexpr void distrust(const typename A::address& server) noexcept { remember(server, {.cookie = {}}); }

 private:
  struct entry {
    typename A::address server{};
    fast_open_memory memory{};
  };
  std::array<entry, N> entries_{};
  std::size_t next_ = 0;
};

}  // namespace listenq
