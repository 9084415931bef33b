// SPDX-License-Identifier: BSL-1.0
// The connections that a re-run's listener has made. They carry no data: each takes its segments until a RST, or a SYN
// after a FIN, and the listener is told how its handshake ended and when it is gone.
#pragma once

#include <concepts>
#include <listenq/handshake.hpp>
#include <listenq/segment.hpp>
#include <listenq/testing/recording.hpp>
#include <listenq/testing/rerun/attempt.hpp>
#include <listenq/time.hpp>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace listenq::testing::detail {

/// `door` must outlive it.
template <loggable L>
class connections {
 public:
  explicit connections(recording<L>& door) : door_(door) {}

  bool has(const four_tuple& key) const { return here_.contains(key); }
  /// Is it still to be accepted?
  bool waits(const four_tuple& key) const {
    const auto c = here_.find(key);
    return c != here_.end() && !c->second.accepted;
  }

  // --- what the listener does ---

  void made(const handshake& h) {
    connection c{.handle = {}, .pending = h.fast_open};
    if constexpr (std::same_as<typename L::handle_type, handshake>) {
      c.handle = h;
    } else {
      c.handle = h.key;
    }
    here_.insert_or_assign(h.key, c);
  }
  void accepted(const four_tuple& key) {
    if (const auto c = here_.find(key); c != here_.end()) c->second.accepted = true;
  }
  /// close() gave it back.
  void reset(const four_tuple& key) { here_.erase(key); }

  // --- what clients say ---

  /// A segment arrives: does a connection take it?
  bool take(const segment& s, instant now) {
    const auto c = here_.find(four_tuple_of(s));
    if (c == here_.end()) return false;
    if (s.flags.has(flag::syn) && c->second.ended) {
      here_.erase(c);
      return false;
    }
    if (s.flags.has(flag::rst)) {
      settle(c->second, fast_open_end::reset, now);
      remove(c, now);
      return true;
    }
    if (s.flags.has(flag::ack)) settle(c->second, fast_open_end::finished, now);
    if (s.flags.has(flag::fin)) c->second.ended = true;
    return true;
  }

  // --- what the log has ---

  void made_there(const four_tuple& key) { there_.insert(key); }
  /// A segment came to the listener there: if the log has a connection of that peer, it was no more.
  void passed_by_there(const four_tuple& key, instant now) {
    if (there_.erase(key) != 0) gone(key, now);
  }
  /// The server there says something.
  void said_there(const segment& s) {
    const auto c = here_.find(peer_of(s));
    if (c == here_.end()) return;
    if (s.flags.has(flag::fin)) c->second.ended = true;
    if (s.flags.has(flag::rst) && c->second.accepted) here_.erase(c);
  }
  void gone(const four_tuple& key, instant now) {
    if (const auto c = here_.find(key); c != here_.end()) remove(c, now);
  }
  void settled(const four_tuple& key, fast_open_end how, instant now) {
    if (const auto c = here_.find(key); c != here_.end()) settle(c->second, how, now);
  }

 private:
  struct connection {
    typename L::handle_type handle;
    bool accepted = false;
    bool ended = false;    ///< somebody has sent a FIN
    bool pending = false;  ///< fast open: its handshake has not ended
  };
  using by_peer = std::unordered_map<four_tuple, connection, key_hash>;

  void settle(connection& c, fast_open_end how, instant now) {
    if (!std::exchange(c.pending, false)) return;
    if constexpr (requires { door_.child_settled(c.handle, how, now); }) door_.child_settled(c.handle, how, now);
  }
  void remove(typename by_peer::iterator c, instant now) {
    if (!c->second.accepted) door_.child_gone(c->second.handle, now);
    here_.erase(c);
  }

  recording<L>& door_;
  by_peer here_{};
  std::unordered_set<four_tuple, key_hash> there_{};
};

}  // namespace listenq::testing::detail
