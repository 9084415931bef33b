// SPDX-License-Identifier: BSL-1.0
// One client's try to connect, there (in the log) and here (in the re-run), and which try a segment belongs to.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <listenq/segment.hpp>
#include <listenq/time.hpp>
#include <span>
#include <vector>

namespace listenq::testing::detail {

struct key_hash {
  std::size_t operator()(const four_tuple& k) const noexcept {
    std::uint64_t h = (std::uint64_t{k.peer_address.value} << 32 | k.local_address.value) * 0x9e3779b97f4a7c15U;
    h = (h ^ h >> 29 ^ (std::uint64_t{k.peer_port} << 16 | k.local_port)) * 0xbf58476d1ce4e5b9U;
    return static_cast<std::size_t>(h ^ h >> 32);
  }
};

/// One client's try to connect, named by its ISN: a SYN, and what answered it.
struct attempt {
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  /// A SYN-ACK there, and what stands for it here.
  struct pair {
    seq_number iss = 0;
    std::uint32_t stamp = 0;
    seq_number our_iss = 0;
    std::uint32_t our_stamp = 0;
    bool ours = false;
  };
  // there
  seq_number irs = 0;
  std::size_t syn = none;     ///< its first SYN; none for what was said before the first SYN
  std::size_t answer = none;  ///< the first SYN-ACK
  std::size_t last_answer = none;
  std::size_t final_ack = none;  ///< the first segment that acknowledges it
  duration round_trip = 0;
  std::array<pair, 4> pairs{};  ///< the last few different ones
  std::size_t pair_count = 0;
  // here
  bool answered = false;
  bool was_reset = false;
  bool finished = false;
  bool late = false;     ///< its client waits for an answer, and so says nothing of what it said there
  bool insists = false;  ///< its client believes to be connected, and acknowledges SYN-ACKs that were not sent there
  bool acks = false;     ///< it is about to do so
  seq_number our_iss = 0;
  std::uint32_t our_stamp = 0;
  instant last_syn = 0;
  duration patience = second;

  bool honest() const noexcept { return final_ack != none; }
  std::span<pair> known() noexcept { return {pairs.data(), std::min(pair_count, pairs.size())}; }
  std::span<const pair> known() const noexcept { return {pairs.data(), std::min(pair_count, pairs.size())}; }
  const pair& newest() const noexcept { return pairs[(pair_count - 1) % pairs.size()]; }
  bool acknowledged_by(const segment& s) const noexcept {
    return std::any_of(known().begin(), known().end(), [&s](const pair& p) { return p.iss == s.ack - 1; });
  }
  void add(const pair& p) noexcept {
    for (pair& old : known()) {
      if (old.iss != p.iss || old.stamp != p.stamp) continue;
      if (!old.ours) old = p;
      return;
    }
    pairs[pair_count++ % pairs.size()] = p;
  }
  /// Numbers that the server there gave into those that stand for them here, at the same distance.
  void translate(segment& s) const noexcept {
    if (pair_count == 0) return;
    const auto match = [this](auto field, std::uint32_t n) {
      for (const pair& p : known()) {
        if (p.*field == n) return p;
      }
      return newest();
    };
    if (s.flags.has(flag::ack)) {
      const pair p = match(&pair::iss, s.ack - 1);
      s.ack += (p.ours ? p.our_iss : our_iss) - p.iss;
    }
    if (s.options.timestamps && s.options.ts_echo != 0) {
      const pair p = match(&pair::stamp, s.options.ts_echo);
      if (p.stamp != 0) s.options.ts_echo += (p.ours ? p.our_stamp : our_stamp) - p.stamp;
    }
  }
};

/// The attempt that a SYN-ACK answers; null if there is none.
inline attempt* answered_by(std::vector<attempt>& all, const segment& s) noexcept {
  for (std::size_t i = all.size(); i-- > 0;) {
    if (all[i].syn != attempt::none && all[i].irs == s.ack - 1) return &all[i];
  }
  return nullptr;
}
/// The attempt that a client's segment belongs to, where those before `begun` have begun: the one whose SYN-ACK it
/// acknowledges, else the last that had been answered before `entry`, else the last. Null if there is none.
inline attempt* spoken_by(std::vector<attempt>& all, std::size_t begun, const segment& s, std::size_t entry) noexcept {
  attempt* last_answered = nullptr;
  for (std::size_t i = begun; i-- > 0;) {
    if (!(all[i].answer < entry)) continue;
    if (s.flags.has(flag::ack) && all[i].acknowledged_by(s)) return &all[i];
    if (last_answered == nullptr) last_answered = &all[i];
  }
  return last_answered != nullptr ? last_answered : begun == 0 ? nullptr : &all[begun - 1];
}

constexpr bool is_syn(const segment& s) noexcept {
  return s.flags.has(flag::syn) && !s.flags.any(flag::ack | flag::rst);
}
constexpr bool is_syn_ack(const segment& s) noexcept { return s.flags.has(flag::syn | flag::ack); }
/// The connection of a segment of the server's.
constexpr four_tuple peer_of(const segment& s) noexcept {
  return {s.destination.address, s.source.address, s.destination.port, s.source.port};
}

}  // namespace listenq::testing::detail
