// SPDX-License-Identifier: BSL-1.0
// transport/udp_acceptor.hpp: coroutines over real datagrams on 127.0.0.1.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <listenq/chrono.hpp>
#include <listenq/listener.hpp>
#include <listenq/stream/connection.hpp>
#include <listenq/stream/connector.hpp>
#include <listenq/transport/udp_acceptor.hpp>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>
// This Asio may not know the coroutines of this compiler.
#if defined(BOOST_ASIO_HAS_CO_AWAIT)
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#endif

using namespace listenq;
namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;

namespace {

using family_type = tagged<ipv4>;
using door = listener<family<family_type>, child<handles<connection_id>>, accept_full_at_ack<abort_if_tuned>>;
using acceptor = udp_acceptor<door>;
using stream = acceptor::stream_type;

const udp::endpoint localhost{asio::ip::address_v4::loopback(), 0};

/// Lets everything run until `done`, at most 20 s.
void run_until(asio::io_context& context, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!done()) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    context.restart();
    if (context.poll() == 0) std::this_thread::sleep_for(std::chrono::microseconds{100});
  }
}

/// The other end: a connector, then a connection, on a socket of its own.
struct client {
  udp_tunnel wire;
  basic_four_tuple<family_type> tuple{};
  std::optional<basic_connector<family_type>> opening_{};
  std::optional<basic_connection<family_type>> connection{};
  std::chrono::steady_clock::time_point origin = std::chrono::steady_clock::now();

  client(asio::io_context& context, const udp::endpoint& server, std::uint16_t port) : wire(context.get_executor()) {
    REQUIRE(!wire.open(localhost));
    tuple.peer_address = udp_tunnel::address_of(server);
    tuple.local_address = wire.local_address();
    tuple.peer_port = 80;
    tuple.local_port = port;
    opening_.emplace(profile::linux_6_18, tuple, 1000);
    opening_->start(now(), wire);
  }
  instant now() const { return to_duration(std::chrono::steady_clock::now() - origin); }
  /// Reads what has come. True once it is connected.
  bool step() {
    while (const auto s = wire.receive()) {
      if (connection) {
        connection->receive(*s, now(), wire);
      } else if (opening_->receive(*s, now(), wire) == connector_event::connected) {
        connection.emplace(opening_->profile(), opening_->established(), opening::active);
      }
    }
    if (connection) {
      connection->tick(now(), wire);
    } else {
      opening_->tick(now(), wire);
    }
    return connection.has_value();
  }
  void send(const std::string& text) {
    connection->send({reinterpret_cast<const std::byte*>(text.data()), text.size()}, now(), wire);
  }
  std::string received() {
    std::string text(connection->bytes_available(), '\0');
    connection->read(reinterpret_cast<std::byte*>(text.data()), text.size(), now(), wire);
    return text;
  }
};

struct server {
  asio::io_context context{};
  acceptor in{context.get_executor()};
  server() {
    REQUIRE(!in.open(localhost));
    REQUIRE(in.listen(80, 1));
  }
};

}  // namespace

// A connection that nobody is told of, or one told to two.
TEST_CASE("async_accept completes with the oldest connection, and each wakes one who waits, in order") {
  server s;
  std::vector<int> served;
  std::vector<stream> streams;
  for (int i = 0; i < 3; ++i) {
    s.in.async_accept([&, i](const error_code& e, stream c) {
      CHECK(!e);
      served.push_back(i);
      streams.push_back(std::move(c));
    });
  }
  client a{s.context, s.in.local_endpoint(), 1};
  run_until(s.context, [&] { return a.step() && served.size() == 1; });
  client b{s.context, s.in.local_endpoint(), 2};
  run_until(s.context, [&] { return b.step() && served.size() == 2; });
  CHECK(served == std::vector{0, 1});
  CHECK(streams[0].tuple().peer_port == 1);
  CHECK(streams[1].tuple().peer_port == 2);
  CHECK(streams[1].tuple().peer_address == b.wire.local_address());
  s.in.cancel();  // the third
}

// An accept that waits for a connection that waits already.
TEST_CASE("a connection that waits is accepted at once") {
  server s;
  client a{s.context, s.in.local_endpoint(), 1};
  run_until(s.context, [&] { return a.step() && s.in.listener()->accept_count() == 1; });
  bool accepted = false;
  s.in.async_accept([&](const error_code& e, const stream& c) { accepted = !e && c.is_open(); });
  run_until(s.context, [&] { return accepted; });
}

// Somebody who waits for ever for a listener that is gone, or is told that all is well.
TEST_CASE("cancel and close end every accept, and say so; without listen it is an error") {
  server s;
  std::vector<error_code> ends;
  const auto note = [&](const error_code& e, const stream& c) {
    CHECK(!c.is_open());
    ends.push_back(e);
  };
  s.in.async_accept(note);
  s.in.async_accept(note);
  s.in.cancel();
  run_until(s.context, [&] { return ends.size() == 2; });
  s.in.async_accept(note);
  s.context.poll();
  CHECK(ends.size() == 2);
  s.in.close();
  run_until(s.context, [&] { return ends.size() == 3; });
  s.in.async_accept(note);
  run_until(s.context, [&] { return ends.size() == 4; });
  for (const error_code& e : ends) CHECK(e == asio::error::operation_aborted);

  acceptor other{s.context.get_executor()};
  other.async_accept(note);
  run_until(s.context, [&] { return ends.size() == 5; });
  CHECK(ends.back() == asio::error::invalid_argument);
  CHECK(!other.listen(80, 1) == false);
  CHECK(!other.listen(81, 1));
}

// A timer that nobody sets: the SYN-ACK is never sent again and the request never dies.
TEST_CASE("requests are resent and die by the listener's own timers") {
  asio::io_context context;
  using hasty = listener<family<family_type>, child<handles<connection_id>>, schedule<doubling<20 * millisecond, 2>>>;
  udp_acceptor<hasty> in{context.get_executor()};
  REQUIRE(!in.open(localhost));
  REQUIRE(in.listen(80, 1));
  udp_tunnel wire{context.get_executor()};
  REQUIRE(!wire.open(localhost));
  basic_segment<family_type> syn;
  syn.source = {wire.local_address(), 5};
  syn.destination = {udp_tunnel::address_of(in.local_endpoint()), 80};
  syn.flags = flag::syn;
  REQUIRE(wire.send(syn) == send_result::sent);
  int syn_acks = 0;
  run_until(context, [&] {
    while (const auto s = wire.receive()) syn_acks += s->flags == (flag::syn | flag::ack) ? 1 : 0;
    return syn_acks == 3 && in.listener()->request_count() == 0;
  });
}

// Bytes lost between the connection and the stream, an end that is no end, an error that is taken for one.
TEST_CASE("streams read and write, and tell an end from a reset") {
  server s;
  stream c;
  s.in.async_accept([&](const error_code&, stream accepted) { c = std::move(accepted); });
  client a{s.context, s.in.local_endpoint(), 1};
  run_until(s.context, [&] { return a.step() && c.is_open(); });

  std::array<char, 16> into{};
  std::optional<std::pair<error_code, std::size_t>> read;
  const auto note = [&](const error_code& e, std::size_t n) { read.emplace(e, n); };
  c.async_read_some(asio::buffer(into), note);
  s.context.poll();
  CHECK(!read);
  a.send("ping");
  run_until(s.context, [&] { return a.step() && read; });
  CHECK(!read->first);
  CHECK(std::string(into.data(), read->second) == "ping");

  bool wrote = false;
  c.async_write_some(asio::buffer("pong", 4), [&](const error_code& e, std::size_t n) { wrote = !e && n == 4; });
  std::string answer;
  run_until(s.context, [&] {
    a.step();
    answer += a.received();
    return wrote && answer == "pong";
  });

  SUBCASE("an orderly end is eof") {
    read.reset();
    c.async_read_some(asio::buffer(into), note);
    a.connection->shutdown_send(a.now(), a.wire);
    run_until(s.context, [&] { return a.step() && read; });
    CHECK(read->first == asio::error::eof);
    CHECK(read->second == 0);
  }
  SUBCASE("a reset is connection_reset, for a write that waits, too") {
    read.reset();
    c.async_read_some(asio::buffer(into), note);
    s.context.poll();
    a.connection->abort(a.now(), a.wire);
    run_until(s.context, [&] { return read.has_value(); });
    CHECK(read->first == asio::error::connection_reset);
    read.reset();
    c.async_write_some(asio::buffer("x", 1), note);
    run_until(s.context, [&] { return read.has_value(); });
    CHECK(read->first == asio::error::connection_reset);
  }
  SUBCASE("close ends a read that waits, and the peer sees the end") {
    read.reset();
    c.async_read_some(asio::buffer(into), note);
    s.context.poll();
    c.close();
    run_until(s.context, [&] { return a.step() && read && a.connection->state() == connection_state::close_wait; });
    CHECK(read->first == asio::error::operation_aborted);
    CHECK(!c.is_open());
  }
  SUBCASE("bytes written before close arrive, and the context runs out of work when the peer has them") {
    c.async_write_some(asio::buffer("last", 4), [](const error_code&, std::size_t) {});
    c.close();
    s.in.close();
    run_until(s.context, [&] {
      a.step();
      answer += a.received();
      if (a.connection->state() == connection_state::close_wait) a.connection->shutdown_send(a.now(), a.wire);
      return answer == "ponglast" && s.context.stopped() && a.connection->state() != connection_state::close_wait;
    });
  }
}

#if defined(BOOST_ASIO_HAS_CO_AWAIT)
// The way it is meant to be written.
TEST_CASE("an echo server in coroutines") {
  server s;
  bool finished = false;
  const auto echo = [](stream c) -> asio::awaitable<void> {
    std::array<char, 3> some{};
    for (;;) {
      error_code e;
      const std::size_t n =
          co_await c.async_read_some(asio::buffer(some), asio::redirect_error(asio::use_awaitable, e));
      if (e) co_return;
      co_await asio::async_write(c, asio::buffer(some, n), asio::use_awaitable);
    }
  };
  const auto serve = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < 2; ++i) {
      stream c = co_await s.in.async_accept(asio::use_awaitable);
      asio::co_spawn(s.context, echo(std::move(c)), asio::detached);
    }
    finished = true;
  };
  asio::co_spawn(s.context, serve(), asio::detached);
  client a{s.context, s.in.local_endpoint(), 1};
  client b{s.context, s.in.local_endpoint(), 2};
  run_until(s.context, [&] { return int{a.step()} + int{b.step()} == 2 && finished; });
  a.send("hello from a");
  b.send("hello from b");
  std::string to_a;
  std::string to_b;
  run_until(s.context, [&] {
    a.step(), b.step();
    to_a += a.received();
    to_b += b.received();
    return to_a == "hello from a" && to_b == "hello from b";
  });
}
#else
TEST_CASE("an echo server in coroutines: skipped, this Asio has none for this compiler" * doctest::skip()) {}
#endif
