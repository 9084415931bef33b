// Can any transport carry it? Yes: four functions make one. This one moves IP packets through a pair of Unix sockets.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <cstdio>
#include <listenq/listenq.hpp>
#include <listenq/stream/connector.hpp>
#include <listenq/transport/pump.hpp>
#include <listenq/wire/tcp.hpp>
#include <optional>

using namespace listenq;

/// One end of a socket pair; a datagram is an IPv4 packet.
class unix_end {
 public:
  using addressing_type = ipv4;
  explicit unix_end(int fd) : fd_(fd) {}
  std::optional<segment> receive() {
    for (ssize_t n = 0; (n = ::recv(fd_, in_.data(), in_.size(), MSG_DONTWAIT)) > 0;) {
      const auto p = wire::read_packet<ipv4>({in_.data(), static_cast<std::size_t>(n)});
      if (p) return p.segment;  // what is broken is dropped
    }
    return std::nullopt;
  }
  send_result send(const segment& s) {
    const std::size_t n = wire::write_packet(s, {out_.data(), out_.size()});
    if (n == 0) return send_result::failed;
    return ::send(fd_, out_.data(), n, MSG_DONTWAIT) > 0 ? send_result::sent : send_result::later;
  }
  bool writable() const {
    ::pollfd one{fd_, POLLOUT, 0};
    return ::poll(&one, 1, 0) == 1;
  }
  transport_limits limits() const { return {.max_payload = 1460}; }

 private:
  int fd_;
  std::array<std::byte, 1500> in_{};
  std::array<std::byte, 1500> out_{};
};
static_assert(transport<unix_end>);

int main() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) != 0) return 1;
  unix_end ours{fds[0]};
  unix_end theirs{fds[1]};
  listener<> door;
  door.listen(1);
  connector client{profile::linux_6_18, {ip(10, 0, 0, 1), ip(10, 0, 0, 2), 80, 40000}, 1000};
  client.start(0, theirs);
  pump(ours, door, 0);                                                 // SYN in, SYN-ACK out
  if (const auto s = theirs.receive()) client.receive(*s, 1, theirs);  // SYN-ACK in, ACK out
  pump(ours, door, 2);                                                 // ACK in
  const auto accepted = door.accept();
  std::printf("accepted port %d over a pair of Unix sockets\n", accepted ? accepted.handle.peer_port : 0);
  ::close(fds[0]);
  ::close(fds[1]);
  return accepted ? 0 : 1;
}
