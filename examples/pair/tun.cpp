// SPDX-License-Identifier: BSL-1.0
// TUN: the server is a process with an interface of its own, the clients are sockets of this machine's kernel.
#include <fcntl.h>
#include <sched.h>
#include <listenq/transport/framed.hpp>
#include <listenq/transport/tun.hpp>

#include <array>
#include <cerrno>
#include <cstring>

#include "alone.hpp"
#include "clients.hpp"
#include "interface.hpp"
#include "play.hpp"
#include "process.hpp"
#include "transports.hpp"

namespace pair {

namespace {

constexpr const char* interface_name = "lq0";
constexpr ipv4::address ours = ip(10, 77, 0, 2), kernels = ip(10, 77, 0, 1);

/// The interface, set up, or why there is none.
struct tunnel {
  tun device{};
  std::string trouble{};

  tunnel() {
    if (const tun_error e = device.open(interface_name); e != tun_error::none) {
      trouble = std::string(interface_name) + ": " + name_of(e) + ", " + std::strerror(device.system_error());
      return;
    }
    const std::string failed = programs::set_up_interface(device.name(), {dual::mapped(kernels)}, {dual::mapped(ours)});
    if (!failed.empty()) trouble = "failed: " + failed;
  }
};

bool write_to(const char* path, const std::string& text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return done;
}

/// Moves this process and its children into a network namespace of their own, in which an interface disturbs nobody;
/// who is not root becomes it there. Why not, or nothing.
std::string leave_the_network() {
  if (::unshare(CLONE_NEWNET) == 0) return {};
  const std::string uid = std::to_string(::getuid()), gid = std::to_string(::getgid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    return std::string("no network namespace of its own: ") + std::strerror(errno);
  }
  write_to("/proc/self/setgroups", "deny");
  const bool mapped =
      write_to("/proc/self/uid_map", "0 " + uid + " 1") && write_to("/proc/self/gid_map", "0 " + gid + " 1");
  return mapped ? std::string{} : "no users of its own in the new namespace";
}

template <class Use>
auto with_wire(tunnel& t, Use use) {
  auto frames = framed<ipv4>(t.device);
  frames.add_address(ours);
  wire_over w(frames, t.device.descriptor());
  return use(w);
}

}  // namespace

played play_over_tun(const settings& s) {
  if (const std::string why = leave_the_network(); !why.empty()) return {{}, why};
  const auto serve = [&s](int fd) {
    tunnel t;
    if (!t.trouble.empty()) return refuse(fd, t.trouble);
    with_wire(t, [&](wire& w) { obey(*s.preset->make(w, s), w, fd, "ready"); });
  };
  return in_two_processes(serve, [&s](remote_server& remote, const std::string&) -> played {
    kernel_clients them(interface_name, ours, true);
    return {play_with(s, them, remote), {}};
  });
}

int serve_over_tun(const settings& s, const alone& how) {
  tunnel t;
  if (!t.trouble.empty()) return complain(t.trouble);
  return with_wire(t, [&](wire& w) { return serve_alone(*s.preset->make(w, s), w, how); });
}

int connect_over_tun(const settings& s, const alone&) {
  if (::if_nametoindex(interface_name) == 0) {
    return complain(std::string("there is no ") + interface_name + " here: `server --over tun` makes it");
  }
  kernel_clients them(interface_name, ours, false);
  return connect_alone(them, s);
}

}  // namespace pair
