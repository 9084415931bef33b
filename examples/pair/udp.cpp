// SPDX-License-Identifier: BSL-1.0
// UDP: two processes, and a TCP segment in each datagram between them.
#include <boost/asio/io_context.hpp>
#include <charconv>
#include <listenq/transport/udp_tunnel.hpp>

#include "alone.hpp"
#include "clients.hpp"
#include "play.hpp"
#include "process.hpp"
#include "transports.hpp"

namespace pair {

namespace {

using boost::asio::ip::udp;

/// An open socket, or why there is none.
struct outlet {
  boost::asio::io_context context{};
  udp_tunnel tunnel{context.get_executor()};
  std::string trouble{};

  explicit outlet(const udp::endpoint& at) {
    if (const auto e = tunnel.open(at)) trouble = at.address().to_string() + ": " + e.message();
  }
};

std::optional<boost::asio::ip::address> address_of(const std::string& text) {
  boost::system::error_code e;
  const auto a = boost::asio::ip::make_address(text, e);
  if (e || !a.is_v4()) return std::nullopt;
  return a;
}

const boost::asio::ip::address here = boost::asio::ip::address_v4::loopback();

}  // namespace

played play_over_udp(const settings& s) {
  const auto serve = [&s](int fd) {
    outlet out{{here, 0}};
    if (!out.trouble.empty()) return refuse(fd, out.trouble);
    wire_over w(out.tunnel, out.tunnel.socket().native_handle());
    obey(*s.preset->make(w, s), w, fd, std::to_string(out.tunnel.local_endpoint().port()));
  };
  return in_two_processes(serve, [&s](remote_server& remote, const std::string& port) -> played {
    outlet out{{here, 0}};
    if (!out.trouble.empty()) return {{}, out.trouble};
    wire_over w(out.tunnel, out.tunnel.socket().native_handle());
    const udp::endpoint there{here, static_cast<std::uint16_t>(std::stoi(port))};
    library_clients them(w, out.tunnel.local_address(), udp_tunnel::address_of(there));
    return {play_with(s, them, remote), {}};
  });
}

int serve_over_udp(const settings& s, const alone& how) {
  const auto at = address_of(how.address);
  if (!at) return complain(how.address + " is no IPv4 address");
  outlet out{{*at, how.port}};
  if (!out.trouble.empty()) return complain(out.trouble);
  wire_over w(out.tunnel, out.tunnel.socket().native_handle());
  return serve_alone(*s.preset->make(w, s), w, how);
}

int connect_over_udp(const settings& s, const alone& how) {
  const auto to = address_of(how.address);
  if (!to) return complain(how.address + " is no IPv4 address");
  // The checksum covers our address, so it must be known: the one from which the system would send there.
  boost::asio::io_context context;
  udp::socket probe{context, udp::v4()};
  boost::system::error_code e;
  probe.connect({*to, how.port}, e);
  outlet out{{e ? here : probe.local_endpoint().address(), 0}};
  if (!out.trouble.empty()) return complain(out.trouble);
  wire_over w(out.tunnel, out.tunnel.socket().native_handle());
  library_clients them(w, out.tunnel.local_address(), udp_tunnel::address_of({*to, how.port}));
  return connect_alone(them, s);
}

}  // namespace pair
