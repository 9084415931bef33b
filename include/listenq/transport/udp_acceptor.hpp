// SPDX-License-Identifier: BSL-1.0
// An acceptor and its streams in the style of Boost.Asio, over a UDP tunnel: `co_await acceptor.async_accept(token)`,
// then `async_read_some` and `async_write_some`, so that asio::async_read and its like work. Behind them are a listener
// of your composition and the reference connection; timers follow `next_deadline()`, and nothing runs while nothing
// happens.
// It is for servers. It is not thread safe: everything of one acceptor runs on one thread at a time (a strand will do).
#pragma once

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <listenq/chrono.hpp>
#include <listenq/outcome.hpp>
#include <listenq/stream/established.hpp>
#include <listenq/transport/host.hpp>
#include <listenq/transport/udp_tunnel.hpp>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace listenq {

namespace detail {

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

}  // namespace detail

template <class Listener>
class udp_acceptor;

/// An accepted connection: a model of AsyncReadStream and AsyncWriteStream. One read and one write at a time. It can be
/// moved; destroying it closes it, and what was written still reaches the peer while the executor runs.
template <class Listener>
class udp_stream {
  using service = detail::udp_service<Listener>;
  using error_code = boost::system::error_code;

 public:
  using executor_type = boost::asio::any_io_executor;
  using key_type = typename Listener::key_type;

  udp_stream() = default;
  udp_stream(udp_stream&& other) noexcept = default;
  udp_stream& operator=(udp_stream&& other) noexcept {
    std::swap(on_, other.on_);
    std::swap(bells_, other.bells_);
    std::swap(id_, other.id_);
    return *this;
  }
  ~udp_stream() { close(); }

  executor_type get_executor() const { return bells_->readable.get_executor(); }
  bool is_open() const noexcept { return on_ != nullptr; }
  /// Who is at the other end; all zero when closed.
  key_type tuple() const {
    const auto* c = on_ ? on_->stack.find_connection(id_) : nullptr;
    return c == nullptr ? key_type{} : c->tuple();
  }

  /// Completes with at least one byte, or with `eof`, `connection_reset`, `timed_out` or `operation_aborted`.
  /// `void(error_code, std::size_t)`.
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& to, Token&& token) {
    return boost::asio::async_compose<Token, void(error_code, std::size_t)>(
        [on = on_, bells = bells_, id = id_, to](auto& self, const error_code& e = {}) mutable {
          std::size_t n = 0;
          const error_code found = on ? read_some(*on, id, to, n) : error_code{boost::asio::error::bad_descriptor};
          if (n == 0 && !found && boost::asio::buffer_size(to) > 0) {
            if (stays(*on, id, *bells, self, e)) return bells->readable.async_wait(std::move(self));
            return self.complete(boost::asio::error::operation_aborted, 0);
          }
          if (on) on->settle();
          self.complete(found, n);
        },
        token, bells_->readable);
  }

  /// Completes when at least one byte has been taken over, or with `broken_pipe`, `connection_reset`, `timed_out` or
  /// `operation_aborted`. `void(error_code, std::size_t)`.
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& from, Token&& token) {
    return boost::asio::async_compose<Token, void(error_code, std::size_t)>(
        [on = on_, bells = bells_, id = id_, from](auto& self, const error_code& e = {}) mutable {
          std::size_t n = 0;
          const error_code found = on ? write_some(*on, id, from, n) : error_code{boost::asio::error::bad_descriptor};
          if (n == 0 && !found && boost::asio::buffer_size(from) > 0) {
            if (stays(*on, id, *bells, self, e)) return bells->writable.async_wait(std::move(self));
            return self.complete(boost::asio::error::operation_aborted, 0);
          }
          if (on) on->settle();
          self.complete(found, n);
        },
        token, bells_->writable);
  }

  /// No more bytes from here: FIN behind those already written.
  void shutdown_send() {
    if (!on_) return;
    on_->stack.shutdown_send(id_, on_->now());
    on_->settle();
  }

  /// Ends it: operations that wait complete with `operation_aborted`, unread bytes make the peer's end a RST.
  void close() noexcept {
    if (!on_) return;
    const auto on = std::exchange(on_, nullptr);
    on->leave(id_);
    bells_->readable.cancel();
    bells_->writable.cancel();
  }

 private:
  friend class udp_acceptor<Listener>;
  udp_stream(std::shared_ptr<service> on, std::shared_ptr<typename service::bells> b, connection_id id)
      : on_(std::move(on)), bells_(std::move(b)), id_(id) {}

  /// Does an operation that found nothing wait on? Not when it was cancelled, nor when its stream is closed.
  template <class Self>
  static bool stays(service& on, connection_id id, const typename service::bells& bells, Self& self,
                    const error_code& e) {
    const auto i = on.streams.find(id.slot);
    if (i == on.streams.end() || i->second.get() != &bells) return false;
    if constexpr (requires { self.cancelled(); }) {
      using none = decltype(self.cancelled());
      if (e && self.cancelled() != none{}) return false;
    }
    return true;
  }

  static error_code why(const typename host<typename service::tunnel_type, Listener>::connection_type* c,
                        const error_code& otherwise) {
    if (c == nullptr || c->error() == connection_error::reset) return boost::asio::error::connection_reset;
    return c->error() == connection_error::timed_out ? error_code{boost::asio::error::timed_out} : otherwise;
  }

  template <class Buffers>
  static error_code read_some(service& on, connection_id id, const Buffers& to, std::size_t& n) {
    for (auto i = boost::asio::buffer_sequence_begin(to); i != boost::asio::buffer_sequence_end(to); ++i) {
      const boost::asio::mutable_buffer one{*i};
      const std::size_t got = on.stack.read(id, static_cast<std::byte*>(one.data()), one.size(), on.now());
      n += got;
      if (got < one.size()) break;
    }
    const auto* c = on.stack.find_connection(id);
    return n == 0 && (c == nullptr || c->end_of_stream()) ? why(c, boost::asio::error::eof) : error_code{};
  }

  template <class Buffers>
  static error_code write_some(service& on, connection_id id, const Buffers& from, std::size_t& n) {
    for (auto i = boost::asio::buffer_sequence_begin(from); i != boost::asio::buffer_sequence_end(from); ++i) {
      const boost::asio::const_buffer one{*i};
      const std::size_t took = on.stack.send(id, {static_cast<const std::byte*>(one.data()), one.size()}, on.now());
      n += took;
      if (took < one.size()) break;
    }
    const auto* c = on.stack.find_connection(id);
    const bool ended =
        c == nullptr || (c->state() != connection_state::established && c->state() != connection_state::close_wait &&
                         c->state() != connection_state::syn_received);
    return n == 0 && ended ? why(c, boost::asio::error::broken_pipe) : error_code{};
  }

  std::shared_ptr<service> on_{};
  std::shared_ptr<typename service::bells> bells_{};
  connection_id id_{};
};

/// Accepts on one UDP socket. `Listener` is a composition with `family<tagged<A>>` and `child<handles<connection_id>>`.
/// It can be moved; destroying it closes it, and accepted streams live on.
template <class Listener>
class udp_acceptor {
  using service = detail::udp_service<Listener>;
  using error_code = boost::system::error_code;

 public:
  using executor_type = boost::asio::any_io_executor;
  using stream_type = udp_stream<Listener>;

  explicit udp_acceptor(const executor_type& on, const Listener& prototype = Listener{}, std::size_t mtu = 1500,
                        const host_options& options = {})
      : on_(std::make_shared<service>(on, prototype, mtu, options)) {}
  udp_acceptor(udp_acceptor&& other) noexcept = default;
  udp_acceptor& operator=(udp_acceptor&&) = delete;
  ~udp_acceptor() {
    if (on_) close();
  }

  executor_type get_executor() const { return on_->acceptable.get_executor(); }

  /// Binds the outer socket; errors as `basic_udp_tunnel::open`.
  error_code open(const boost::asio::ip::udp::endpoint& local) {
    const error_code e = on_->wire.open(local);
    if (!e) on_->start();
    return e;
  }

  /// Listens at one TCP port, or changes its backlog. The first call chooses the port; later ones must name the same.
  listen_result listen(std::uint16_t port, int backlog) {
    if (on_->port && *on_->port != port) return {listen_status::no_share};
    on_->port = port;
    const listen_result r = on_->stack.listen(port, backlog, on_->now());
    on_->settle();
    return r;
  }

  /// Completes with the connection that finished first; those who wait are served in their order, each connection
  /// wakes one. `invalid_argument`: it does not listen; `operation_aborted`: cancelled or closed.
  /// `void(error_code, stream_type)`.
  template <class Token>
  auto async_accept(Token&& token) {
    return boost::asio::async_compose<Token, void(error_code, stream_type)>(
        [on = on_, epoch = on_->cancelled](auto& self, const error_code& e = {}) mutable {
          if (!on->port) return self.complete(boost::asio::error::invalid_argument, stream_type{});
          bool aborted = epoch != on->cancelled || on->acceptor_gone;
          if constexpr (requires { self.cancelled(); }) {
            using none = decltype(self.cancelled());
            aborted = aborted || (e && self.cancelled() != none{});
          }
          if (aborted) return self.complete(boost::asio::error::operation_aborted, stream_type{});
          const auto id = on->stack.accept(*on->port, on->now());
          if (!id) return on->acceptable.async_wait(std::move(self));
          auto bells = std::make_shared<typename service::bells>(on->acceptable.get_executor());
          on->streams[id->slot] = bells;
          on->settle();
          self.complete(error_code{}, stream_type{on, std::move(bells), *id});
        },
        token, on_->acceptable);
  }

  /// Everybody who waits in `async_accept` completes with `operation_aborted`; the listener goes on.
  void cancel() {
    ++on_->cancelled;
    on_->acceptable.cancel();
  }

  /// Stops listening: connections that wait are reset. Accepted streams live on.
  void close() noexcept {
    if (on_->acceptor_gone) return;
    on_->acceptor_gone = true;
    if (on_->port) on_->stack.close_port(*on_->port, on_->now());
    on_->acceptable.cancel();
    on_->settle();
  }

  boost::asio::ip::udp::endpoint local_endpoint() const { return on_->wire.local_endpoint(); }
  /// To look at, and to tune; null before `listen`.
  Listener* listener() noexcept { return on_->port ? on_->stack.listener_at(*on_->port) : nullptr; }
  const udp_tunnel_counters& counters() const noexcept { return on_->wire.counters(); }

 private:
  std::shared_ptr<service> on_;
};

}  // namespace listenq
