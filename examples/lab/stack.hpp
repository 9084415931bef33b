// SPDX-License-Identifier: BSL-1.0
// The server's half of a kernel: a listener and the connections that came out of it behind one port. It is what
// "the stack" means in the library's documentation, with the listener's type hidden so that the rest of the lab is
// compiled once. It has no clock and no network: both are handed in.
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

#include "nouns.hpp"

namespace lab {

/// Whom a stack tells what.
struct stack_hooks {
  std::function<send_result(const segment&)> send;
  std::function<void(const decision&)> decided;
  std::function<void(std::uint16_t port, connection_events)> stirred;  ///< something happened to a connection
};

/// The keys that a seed stands for.
struct stack_keys {
  siphash_key hash{};
  siphash_key cookie{};  ///< the secret that all keys of cookies come from
  fast_open_keys fast_open{};
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
  using request_type = request<ipv4>;

  stack(const kernel_profile& profile, stack_hooks hooks) : profile_(profile), hooks_(std::move(hooks)) {}
  stack(const stack&) = delete;
  stack& operator=(const stack&) = delete;
  virtual ~stack() = default;

  virtual listen_result listen(int backlog, instant now) = 0;
  virtual set_status set(tunable, std::uint32_t value) = 0;
  virtual std::uint32_t get(tunable) const = 0;
  virtual queue_state queues() const = 0;
  virtual counts counters() const = 0;
  virtual std::vector<cause_line> causes() const = 0;
  virtual std::vector<request_type> requests() const = 0;
  virtual void close(instant now) = 0;
  virtual void shutdown(instant now) = 0;
  /// An ICMP error about the segment of ours that began at `seq`.
  virtual icmp_verdict unreachable(const four_tuple& key, seq_number seq, icmp_error error, instant now) = 0;

  /// A connection's segments go to it, all others to the listener. Nothing if a connection took it.
  std::optional<outcome> receive(const segment&, instant now);
  void tick(instant now);
  std::optional<instant> next_deadline() const;
  /// The connection that has waited longest; null when none waits.
  child* accept(instant now);

  const std::map<std::uint16_t, child>& children() const noexcept { return children_; }
  /// Null if there is no such connection.
  child* find(std::uint16_t port);

  /// What an application does with a connection.
  std::size_t read(child&, std::byte* to, std::size_t room, instant now);
  std::size_t send(child&, byte_view bytes, instant now);
  void close(child&, instant now);

 protected:
  /// What the listener sends into; makes the children.
  struct sink {
    stack& of;
    instant now;
    send_result send(const segment& s) { return of.hooks_.send(s); }
    bool make_child(const handshake& h, const segment& last);
    void reset_child(const four_tuple& key);
  };

  virtual outcome listener_receive(const segment&, instant now, const arrival&) = 0;
  virtual void listener_tick(instant now) = 0;
  virtual std::optional<instant> listener_deadline() const = 0;
  virtual std::optional<four_tuple> listener_accept(instant now) = 0;
  virtual void listener_child_gone(const four_tuple&) = 0;
  virtual void listener_child_settled(const four_tuple&, fast_open_end, instant now) = 0;

  /// The listener's observer says that a timer was due.
  void timer_fired(instant now, const four_tuple& key, timer_outcome t);
  void remember_queues() { last_ = queues(); }

 private:
  std::optional<outcome> to_listener(const segment&, instant now, const arrival&);
  void after(child&, connection_events, instant now);

  kernel_profile profile_;
  stack_hooks hooks_;
  std::map<std::uint16_t, child> children_;
  std::map<std::uint16_t, instant> deadlines_;
  std::set<std::pair<instant, std::uint16_t>> due_;
  queue_state last_{};
};

}  // namespace lab
