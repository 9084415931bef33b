// Can the same listener serve real peers? An echo server in coroutines over UDP datagrams, and a client for it.
//   udp_echo server ADDRESS PORT [BACKLOG]
//   udp_echo client ADDRESS PORT TEXT
// Without arguments both run in one process.
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <limits>
#include <listenq/chrono.hpp>
#include <listenq/listenq.hpp>
#include <listenq/stream/connection.hpp>
#include <listenq/stream/connector.hpp>
#include <listenq/transport/udp_acceptor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

using namespace listenq;
namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;

using here = tagged<ipv4>;  // an address, and the UDP port behind which it is
using door = listener<family<here>, child<handles<connection_id>>>;
using acceptor = udp_acceptor<door>;
constexpr std::uint16_t echo_port = 7;  // the TCP port inside the datagrams

/// Echoes until the peer is done; it lives as long as something is asked of it.
struct session : std::enable_shared_from_this<session> {
  acceptor::stream_type peer;
  std::array<char, 4096> some{};
  explicit session(acceptor::stream_type s) : peer(std::move(s)) {}
  void read() {
    peer.async_read_some(asio::buffer(some), [self = shared_from_this()](const error_code& e, std::size_t n) {
      if (!e) self->write(0, n);
    });
  }
  void write(std::size_t from, std::size_t to) {
    if (from == to) return read();
    peer.async_write_some(asio::buffer(some.data() + from, to - from),
                          [self = shared_from_this(), from, to](const error_code& e, std::size_t n) {
                            if (!e) self->write(from + n, to);
                          });
  }
};

void serve(acceptor& in) {
  in.async_accept([&in](const error_code& e, acceptor::stream_type s) {
    if (e) return;
    std::printf("accepted from UDP port %u\n", static_cast<unsigned>(s.tuple().peer_address.tag));
    std::fflush(stdout);
    std::make_shared<session>(std::move(s))->read();
    serve(in);
  });
}

/// Connects, sends `text`, prints what comes back. It polls: the library's parts wait for nobody.
int ask(asio::io_context& context, const udp::endpoint& server, const std::string& text) {
  udp_tunnel wire{context.get_executor()};
  const udp::endpoint any_port{server.address().is_loopback() ? server.address() : asio::ip::address{}, 0};
  if (const error_code e = wire.open(any_port)) {
    std::fprintf(stderr, "open: %s\n", e.message().c_str());
    return 1;
  }
  basic_four_tuple<here> tuple;
  tuple.peer_address = udp_tunnel::address_of(server);
  tuple.peer_port = echo_port;
  tuple.local_address = wire.local_address();
  tuple.local_port = 40000;
  const auto start = std::chrono::steady_clock::now();
  const auto now = [start] { return to_duration(std::chrono::steady_clock::now() - start); };
  basic_connector<here> opening{profile::linux_6_18, tuple, 12345};
  std::optional<basic_connection<here>> connection;
  std::string answer;
  opening.start(now(), wire);
  const auto turn = [&] {
    const auto s = wire.receive();
    if (!s) {
      if (context.poll() == 0) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    } else if (connection) {
      connection->receive(*s, now(), wire);
    } else if (opening.receive(*s, now(), wire) == connector_event::connected) {
      connection.emplace(opening.profile(), opening.established(), opening::active);
      connection->send({reinterpret_cast<const std::byte*>(text.data()), text.size()}, now(), wire);
    }
    if (!connection) {
      opening.tick(now(), wire);
      return;
    }
    connection->tick(now(), wire);
    std::byte some[512];
    const std::size_t n = connection->read(some, sizeof some, now(), wire);
    answer.append(reinterpret_cast<const char*>(some), n);
  };
  while (answer.size() < text.size() && now() < 10 * second) turn();
  if (connection) {
    connection->close(now(), wire);
    // Who leaves without the last ACK makes the server repeat its FIN.
    const instant end = now() + second;
    const auto done = [&connection] {
      return connection->state() == connection_state::time_wait || connection->state() == connection_state::closed;
    };
    while (!done() && now() < end) turn();
  }
  std::printf("echo: %s\n", answer.c_str());
  return answer == text ? 0 : 1;
}

/// A whole number, or nothing.
std::optional<int> number(const char* text, int least, int most) {
  int n = 0;
  const char* const end = text + std::strlen(text);
  const auto [stopped, error] = std::from_chars(text, end, n);
  if (error != std::errc{} || stopped != end || n < least || n > most) return std::nullopt;
  return n;
}

int main(int argc, char** argv) {
  const std::string role = argc > 1 ? argv[1] : "";
  if (argc > 1 && ((role != "server" && role != "client") || argc < (role == "client" ? 5 : 4))) {
    std::fprintf(stderr, "usage: udp_echo [server ADDRESS PORT [BACKLOG] | client ADDRESS PORT TEXT]\n");
    return 2;
  }
  udp::endpoint at{asio::ip::address_v4::loopback(), 0};
  if (argc > 1) {
    error_code e;
    at.address(asio::ip::make_address(argv[2], e));
    if (e || !at.address().is_v4()) {
      std::fprintf(stderr, "'%s' is no IPv4 address\n", argv[2]);
      return 2;
    }
    const auto port = number(argv[3], role == "client" ? 1 : 0, 65535);
    if (!port) {
      std::fprintf(stderr, "'%s' is no port\n", argv[3]);
      return 2;
    }
    at.port(static_cast<std::uint16_t>(*port));
  }
  asio::io_context context;
  if (role == "client") return ask(context, at, argv[4]);

  const auto backlog =
      number(argc > 4 ? argv[4] : "128", std::numeric_limits<int>::min(), std::numeric_limits<int>::max());
  if (!backlog) {
    std::fprintf(stderr, "'%s' is no backlog\n", argv[4]);
    return 2;
  }
  acceptor in{context.get_executor()};
  if (const error_code e = in.open(at)) {
    std::fprintf(stderr, "open: %s\n", e.message().c_str());
    return 1;
  }
  in.listen(echo_port, *backlog);
  serve(in);
  if (role == "server") {
    std::printf("echo on UDP port %u\n", static_cast<unsigned>(in.local_endpoint().port()));
    std::fflush(stdout);
    context.run();
    return 0;
  }
  return ask(context, in.local_endpoint(), "hello over UDP");
}
