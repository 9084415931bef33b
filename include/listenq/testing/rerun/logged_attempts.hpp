// SPDX-License-Identifier: BSL-1.0
// What a log says by itself, before anything is played again: who tried to connect, how it went, and what the server
// did.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/testing/event_log.hpp>
#include <listenq/testing/rerun/attempt.hpp>
#include <listenq/time.hpp>
#include <span>
#include <unordered_map>
#include <vector>

namespace listenq::testing {

/// What the log's own server did, as far as the log says.
struct logged_server {
  std::uint64_t connections = 0;  ///< none are known of a capture
  std::uint64_t segments = 0;
  std::uint64_t syns = 0;
  std::uint64_t syns_answered = 0;
  std::uint64_t syn_acks = 0;
  std::uint64_t resets = 0;
  std::uint64_t honest = 0;
};

/// Who tried to connect in a log, and how it went there. Made once, for any number of re-runs.
class logged_attempts {
 public:
  explicit logged_attempts(std::span<const log_entry> log) : log_(log), answered_(log.size(), false) {
    std::unordered_map<four_tuple, std::size_t, detail::key_hash> unanswered;
    for (std::size_t i = 0; i < log.size(); ++i) {
      if (log[i].kind == log_kind::in) heard(i, unanswered);
      if (log[i].kind == log_kind::out) said(i, unanswered);
      accepts_ = accepts_ || log[i].kind == log_kind::accept;
      there_.connections += log[i].kind == log_kind::child && log[i].result != 0 ? 1 : 0;
    }
    for (const auto& [key, all] : by_peer_) {
      for (const detail::attempt& a : all) there_.honest += a.honest() ? 1 : 0;
    }
  }

  std::span<const log_entry> log() const noexcept { return log_; }
  const logged_server& server() const noexcept { return there_; }
  /// Does the log say when the application accepts?
  bool accepts() const noexcept { return accepts_; }
  /// Was this SYN answered with a SYN-ACK, within 200 ms and before the next SYN?
  bool answered(std::size_t entry) const { return answered_[entry]; }
  using attempts = std::unordered_map<four_tuple, std::vector<detail::attempt>, detail::key_hash>;
  const attempts& by_peer() const noexcept { return by_peer_; }

 private:
  using pending = std::unordered_map<four_tuple, std::size_t, detail::key_hash>;

  void heard(std::size_t i, pending& unanswered) {
    const segment& s = log_[i].segment;
    const four_tuple key = four_tuple_of(s);
    std::vector<detail::attempt>& all = by_peer_[key];
    ++there_.segments;
    if (detail::is_syn(s)) {
      ++there_.syns;
      unanswered[key] = i;
      const auto same = [&s](const detail::attempt& a) { return a.syn != detail::attempt::none && a.irs == s.seq; };
      if (std::none_of(all.begin(), all.end(), same)) {
        all.emplace_back();
        all.back().irs = s.seq;
        all.back().syn = i;
      }
      return;
    }
    if (all.empty()) all.emplace_back();
    detail::attempt& a = *detail::spoken_by(all, all.size(), s, i);
    if (!a.honest() && s.flags.has(flag::ack) && !s.flags.has(flag::rst) && a.acknowledged_by(s)) {
      a.final_ack = i;
      a.round_trip = log_[i].at - log_[a.last_answer].at;
    }
  }
  void said(std::size_t i, pending& unanswered) {
    const segment& s = log_[i].segment;
    const four_tuple key = detail::peer_of(s);
    there_.resets += s.flags.has(flag::rst) ? 1 : 0;
    if (!detail::is_syn_ack(s)) return;
    ++there_.syn_acks;
    if (const auto syn = unanswered.find(key); syn != unanswered.end()) {
      if (log_[i].at - log_[syn->second].at <= 200 * millisecond) {
        answered_[syn->second] = true;
        ++there_.syns_answered;
      }
      unanswered.erase(syn);
    }
    const auto peer = by_peer_.find(key);
    detail::attempt* const a = peer == by_peer_.end() ? nullptr : detail::answered_by(peer->second, s);
    if (a == nullptr) return;
    if (a->answer == detail::attempt::none) a->answer = i;
    a->last_answer = i;
    a->add({s.seq, s.options.ts_value});
  }

  std::span<const log_entry> log_;
  std::vector<bool> answered_;
  attempts by_peer_{};
  logged_server there_{};
  bool accepts_ = false;
};

}  // namespace listenq::testing
