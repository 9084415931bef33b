// SPDX-License-Identifier: BSL-1.0
// A connection that an acceptor over UDP has accepted, in the style of Boost.Asio: `async_read_some` and
// `async_write_some`, so that asio::async_read and its like work. It cannot connect: it is the server's end.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <cstddef>
#include <listenq/stream/established.hpp>
#include <listenq/transport/host.hpp>
#include <listenq/transport/udp_service.hpp>
#include <memory>
#include <utility>

namespace listenq {

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
    if (c->error() == connection_error::unreachable) return boost::asio::error::host_unreachable;
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

}  // namespace listenq
