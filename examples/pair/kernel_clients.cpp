// SPDX-License-Identifier: BSL-1.0
#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "clients.hpp"

namespace pair {

namespace {

sockaddr_in endpoint_of(ipv4::address a, std::uint16_t port) {
  sockaddr_in e{};
  e.sin_family = AF_INET;
  e.sin_addr.s_addr = htonl(a.value);
  e.sin_port = htons(port);
  return e;
}

}  // namespace

void kernel_clients::begin(instant) {
  client c;
  c.seen.port = fixed_ports_ ? static_cast<std::uint16_t>(first_client_port + all_.size()) : std::uint16_t{0};
  c.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const sockaddr_in ours = endpoint_of({}, c.seen.port);
  const sockaddr_in theirs = endpoint_of(server_, server_port);
  const bool bound = c.fd >= 0 &&
                     ::setsockopt(c.fd, SOL_SOCKET, SO_BINDTODEVICE, interface_.data(),
                                  static_cast<socklen_t>(interface_.size())) == 0 &&
                     ::bind(c.fd, reinterpret_cast<const sockaddr*>(&ours), sizeof ours) == 0;
  sockaddr_in name{};
  socklen_t size = sizeof name;
  if (bound && ::getsockname(c.fd, reinterpret_cast<sockaddr*>(&name), &size) == 0) c.seen.port = ntohs(name.sin_port);
  if (!bound ||
      (::connect(c.fd, reinterpret_cast<const sockaddr*>(&theirs), sizeof theirs) != 0 && errno != EINPROGRESS)) {
    end(c, errno);
  }
  all_.push_back(c);
}

void kernel_clients::turn(instant) {
  for (client& c : all_) {
    if (c.fd >= 0) turn(c);
  }
}

void kernel_clients::turn(client& c) {
  if (c.seen.result == connect_result::unanswered) {
    pollfd one{c.fd, POLLOUT, 0};
    if (::poll(&one, 1, 0) != 1) return;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return end(c, error);
    c.seen.result = connect_result::connected;
    say("connected to server");
    const ssize_t n = ::send(c.fd, greeting.data(), greeting.size(), MSG_NOSIGNAL);
    if (n < 0) return end(c, errno);
    c.seen.sent = static_cast<std::size_t>(n);
  }
  std::array<char, 256> buffer;
  ssize_t n = 0;
  while ((n = ::recv(c.fd, buffer.data(), buffer.size(), 0)) > 0) {
    c.seen.echoed += static_cast<std::size_t>(n);
    say("recv from server: " + std::string(buffer.data(), static_cast<std::size_t>(n)));
  }
  if (n < 0 && errno != EAGAIN && errno != EINTR) return end(c, errno);
  int unacked = 0;
  if (::ioctl(c.fd, SIOCOUTQ, &unacked) == 0) c.seen.acked = c.seen.sent - static_cast<std::size_t>(unacked);
}

void kernel_clients::end(client& c, int error) {
  say(std::string("connect: ") + std::strerror(error));
  c.seen.result = error == ECONNREFUSED ? connect_result::refused
                  : error == ETIMEDOUT  ? connect_result::timed_out
                                        : connect_result::reset;
  if (c.fd >= 0) ::close(c.fd);
  c.fd = -1;
}

std::vector<client_view> kernel_clients::views() const {
  std::vector<client_view> v;
  for (const client& c : all_) v.push_back(c.seen);
  return v;
}

void kernel_clients::close(instant) {
  for (client& c : all_) {
    if (c.fd >= 0) ::close(c.fd);
    c.fd = -1;
  }
}

}  // namespace pair
