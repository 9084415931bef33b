// SPDX-License-Identifier: BSL-1.0
// An acceptor in the style of Boost.Asio, over a UDP tunnel: `co_await acceptor.async_accept(token)` yields a
// `udp_stream`. Behind them are a listener of your composition and the reference connection; timers follow
// `next_deadline()`, and nothing runs while nothing happens.
// It is for servers. It is not thread safe: everything of one acceptor runs on one thread at a time (a strand will do).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstddef>
#include <cstdint>
#include <listenq/outcome.hpp>
#include <listenq/transport/host.hpp>
#include <listenq/transport/udp_service.hpp>
#include <listenq/transport/udp_stream.hpp>
#include <listenq/transport/udp_tunnel.hpp>
#include <memory>
#include <utility>

namespace listenq {

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
  const udp_tunnel_counts& counts() const noexcept { return on_->wire.counts(); }

 private:
  std::shared_ptr<service> on_;
};

}  // namespace listenq
