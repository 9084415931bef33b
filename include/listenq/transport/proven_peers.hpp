// SPDX-License-Identifier: BSL-1.0
// Proven peers: addresses that have finished a handshake before, as many as fit. With SYN cookies off, a nearly full
// request queue keeps its last quarter for them (`gates::last_quarter`, `arrival::proven`).
// It is a cache, not a ledger: newcomers displace the address of their bucket that was heard of least recently. Linux
// knows a peer by an RTT in its metrics cache (tcp_peer_is_proven), which it writes when a connection ends; here a
// finished handshake is enough.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <listenq/address.hpp>
#include <listenq/policy/hashing.hpp>
#include <utility>
#include <vector>

namespace listenq {

/// Buckets of five, as TCP_METRICS_RECLAIM_DEPTH has it. All memory is taken by the constructor.
template <addressing A>
class proven_peers {
 public:
  using address = typename A::address;
  static constexpr std::size_t depth = 5;

  /// Room for at least `addresses`; 0: nobody is ever proven. `key`: secret, so that nobody can choose a bucket.
  explicit proven_peers(std::size_t addresses, const siphash_key& key = {})
      : hash_{key}, buckets_(addresses == 0 ? 0 : std::bit_ceil((addresses + depth - 1) / depth)) {}

  /// Remembers it, as the most recent of its bucket. O(1).
  void learn(const address& a) noexcept {
    if (buckets_.empty()) return;
    bucket& b = of(a);
    std::size_t i = 0;
    while (i < b.used && !(b.peers[i] == a)) ++i;
    if (i == b.used && b.used < depth) ++b.used;
    if (i == depth) --i;
    for (; i > 0; --i) b.peers[i] = b.peers[i - 1];
    b.peers[0] = a;
  }

  /// O(1).
  bool knows(const address& a) const noexcept {
    if (buckets_.empty()) return false;
    const bucket& b = buckets_[index(a)];
    for (std::size_t i = 0; i < b.used; ++i) {
      if (b.peers[i] == a) return true;
    }
    return false;
  }

  std::size_t capacity() const noexcept { return buckets_.size() * depth; }

 private:
  struct bucket {
    std::array<address, depth> peers{};  ///< the most recent first
    std::size_t used = 0;
  };

  std::size_t index(const address& a) const noexcept {
    std::uint32_t words[A::words];
    for (std::size_t i = 0; i < A::words; ++i) words[i] = A::word(a, i);
    return static_cast<std::size_t>(hash_.hash(words, A::words)) & (buckets_.size() - 1);
  }
  bucket& of(const address& a) noexcept { return buckets_[index(a)]; }

  siphash<1, 3> hash_;
  std::vector<bucket> buckets_;
};

}  // namespace listenq
