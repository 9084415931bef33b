// SPDX-License-Identifier: BSL-1.0
// What an acceptor over UDP and its streams share: the socket, the host on it, and one timer that follows
// `next_deadline()`. It is an inside: users include udp_acceptor.hpp.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <listenq/chrono.hpp>
#include <listenq/stream/established.hpp>
#include <listenq/transport/host.hpp>
#include <listenq/transport/udp_tunnel.hpp>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace listenq::detail {

template <class Family>
struct tunnel_of;
template <addressing A>
struct tunnel_of<tagged<A>> {
  using type = basic_udp_tunnel<A>;
};

/// What an acceptor and its streams share: the socket, the host on it, and one timer.
template <class Listener>
class udp_service : public std::enable_shared_from_this<udp_service<Listener>> {
 public:
  using tunnel_type = typename tunnel_of<typename Listener::addressing_type>::type;
  using timer_type = boost::asio::steady_timer;
  using error_code = boost::system::error_code;

  /// One accepted connection's two doorbells: a waiting operation is a wait that never ends by itself.
  struct bells {
    explicit bells(const boost::asio::any_io_executor& on)
        : readable(on, timer_type::time_point::max()), writable(on, timer_type::time_point::max()) {}
    timer_type readable;
    timer_type writable;
  };

  udp_service(const boost::asio::any_io_executor& on, const Listener& prototype, std::size_t mtu,
              const host_options& options)
      : wire(on, mtu), stack(wire, prototype, options), acceptable(on, timer_type::time_point::max()), timer_(on) {}

  instant now() const { return to_duration(std::chrono::steady_clock::now() - origin_); }

  void start() { wait_for_segments(); }

  /// Something was done to the host: rings whose bell is due, and sets the timer anew.
  void settle() {
    ring();
    if (done()) return stop();
    const std::optional<instant> next = stack.next_deadline();
    if (next == armed_) return;
    armed_ = next;
    if (!next) {
      timer_.cancel();
      return;
    }
    timer_.expires_at(origin_ + to_chrono(*next));
    timer_.async_wait([self = this->shared_from_this()](const error_code& e) {
      if (e) return;
      self->armed_.reset();
      self->turn();
    });
  }

  /// The handle has gone; what its connection still has to say, it says.
  void leave(connection_id id) {
    streams.erase(id.slot);
    stack.close(id, now());
    leaving_.push_back(id);
    settle();
  }

  void stop() {
    timer_.cancel();
    wire.close();
    acceptable.cancel();
  }

  tunnel_type wire;
  host<tunnel_type, Listener> stack;
  timer_type acceptable;
  std::unordered_map<std::uint32_t, std::shared_ptr<bells>> streams{};
  std::optional<std::uint16_t> port{};
  bool acceptor_gone = false;
  unsigned cancelled = 0;

 private:
  static constexpr std::size_t segments_a_turn = 64;

  void turn() {
    if (!wire.socket().is_open()) return;
    const bool more = stack.poll(now(), segments_a_turn) == segments_a_turn;
    if (more && !reading_) {
      reading_ = true;
      boost::asio::post(timer_.get_executor(), [self = this->shared_from_this()] {
        self->reading_ = false;
        self->turn();
      });
    }
    if (!more) wait_for_segments();
    settle();
  }

  /// Until segments can be read, and answers written.
  void wait_for_segments() {
    if (reading_ || !wire.socket().is_open()) return;
    reading_ = true;
    const auto what =
        wire.writable() ? boost::asio::ip::udp::socket::wait_read : boost::asio::ip::udp::socket::wait_write;
    wire.socket().async_wait(what, [self = this->shared_from_this()](const error_code& e) {
      self->reading_ = false;
      if (!e) self->turn();
    });
  }

  void ring() {
    if (const Listener* l = port ? stack.listener_at(*port) : nullptr) {
      for (std::uint32_t i = 0; i < l->accept_count(); ++i) acceptable.cancel_one();
    }
    while (const auto event = stack.next_event()) {
      const auto i = streams.find(event->id.slot);
      if (i == streams.end()) continue;
      namespace ce = connection_event;
      if (event->what.has(ce::readable) || event->what.has(ce::peer_closed) || event->what.has(ce::closed)) {
        i->second->readable.cancel();
      }
      if (event->what.has(ce::acked) || event->what.has(ce::closed)) i->second->writable.cancel();
    }
  }

  /// Nobody is left who could ask for anything, and every peer has what it was sent.
  bool done() {
    if (!acceptor_gone || !streams.empty()) return false;
    std::erase_if(leaving_, [this](connection_id id) {
      const auto* c = stack.find_connection(id);
      return c == nullptr || c->state() == connection_state::time_wait;
    });
    return leaving_.empty();
  }

  const std::chrono::steady_clock::time_point origin_ = std::chrono::steady_clock::now();
  timer_type timer_;
  std::optional<instant> armed_{};
  std::vector<connection_id> leaving_{};
  bool reading_ = false;
};

}  // namespace listenq::detail
