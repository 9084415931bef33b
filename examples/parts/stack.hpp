// SPDX-License-Identifier: BSL-1.0
// The server's half of a kernel: a listener and the connections that came out of it behind one port. It is what
// "the stack" means in the library's documentation. It has no clock and no network: both are handed in.
#pragma once

#include <functional>
#include <listenq/stream/child.hpp>
#include <listenq/stream/connection.hpp>
#include <listenq/stream/profile.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "door.hpp"
#include "nouns.hpp"

namespace lab {

/// Whom a stack tells what.
struct stack_hooks {
  std::function<send_result(const segment&)> send;
  std::function<void(const decision&)> decided;
  std::function<void(std::uint16_t port, connection_events)> stirred;  ///< something happened to a connection
};

/// One server port. Peers are told apart by their port: the lab has one client address.
class stack {
 public:
  struct child {
    four_tuple key{};
    std::unique_ptr<listenq::connection> connection;
    bool accepted = false;
    handshake shake{};     ///< what the listener handed over
    bool settled = false;  ///< fast open: the listener knows how its handshake ended
  };
  using request_type = door::request_type;

  stack(const kernel_profile& profile, std::unique_ptr<door> listener, stack_hooks hooks);
  stack(const stack&) = delete;
  stack& operator=(const stack&) = delete;

  listen_result listen(int backlog, instant now) { return listener_->listen(backlog, now); }
  set_status set(tunable t, std::uint32_t value) { return listener_->set(t, value, 0); }
  std::uint32_t get(tunable t) const { return listener_->get(t); }
  queue_state queues() const { return listener_->queues(); }
  counts counters() const { return listener_->counters(); }
  std::vector<cause_line> causes() const { return listener_->causes(); }
  std::vector<request_type> requests() const { return listener_->requests(); }
  void close(instant now);
  void shutdown(instant now);
  /// An ICMP error about the segment of ours that began at `seq`.
  icmp_verdict unreachable(const four_tuple& key, seq_number seq, icmp_error error, instant now) {
    return listener_->unreachable(key, seq, now, error);
  }

  /// A connection's segments go to it, all others to the listener. Nothing if a connection took it.
  std::optional<outcome> receive(const segment&, instant now);
  void tick(instant now);
  std::optional<instant> next_deadline() const;
  /// The connection that has waited longest; null when none waits.
  child* accept(instant now);

  const std::map<std::uint16_t, child>& children() const noexcept { return children_; }
  /// Null if there is no such connection.
  child* find(std::uint16_t port);
  /// Drops a connection without a word, as if it had never been. It must not wait for accept().
  void forget(std::uint16_t port);

  /// What an application does with a connection.
  std::size_t read(child&, std::byte* to, std::size_t room, instant now);
  std::size_t send(child&, byte_view bytes, instant now);
  void close(child&, instant now);

 private:
  /// What the listener sends into; makes the children.
  struct sink {
    stack& of;
    instant now;
    send_result send(const segment& s) { return of.hooks_.send(s); }
    bool make_child(const handshake& h, const segment& last);
    void reset_child(const four_tuple& key);
  };

  /// The listener's observer says that a timer was due.
  void timer_fired(instant now, const four_tuple& key, timer_outcome t);
  void remember_queues() { last_ = queues(); }
  std::optional<outcome> to_listener(const segment&, instant now, const arrival&);
  void after(child&, connection_events, instant now);

  kernel_profile profile_;
  std::unique_ptr<door> listener_;
  stack_hooks hooks_;
  std::map<std::uint16_t, child> children_;
  std::map<std::uint16_t, instant> deadlines_;
  std::set<std::pair<instant, std::uint16_t>> due_;
  queue_state last_{};
};

}  // namespace lab
