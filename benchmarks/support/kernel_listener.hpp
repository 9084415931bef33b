// SPDX-License-Identifier: BSL-1.0
// The kernel's listener on loopback, in a network namespace of its own, so that it meets nobody's sockets and nobody's
// sysctls: connect, accept4, close both with SO_LINGER 0. One thread; bounded.
#pragma once

#if defined(__linux__)

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>

namespace bench {

struct kernel_costs {
  double cpu_ns = 0;   ///< of this process, for a connection, both ends: the least of the rounds
  double wall_ns = 0;  ///< the same by the clock
};

namespace detail {

inline double clock_ns(clockid_t c) {
  timespec t{};
  clock_gettime(c, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

/// A network of its own whose loopback is up: 0, or an error number.
inline int own_network() {
  if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return errno;
  const int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (s < 0) return errno;
  ifreq lo{};
  std::strcpy(lo.ifr_name, "lo");
  lo.ifr_flags = IFF_UP;
  const int failed = ioctl(s, SIOCSIFFLAGS, &lo) == 0 ? 0 : errno;
  close(s);
  return failed;
}

inline int connections(int rounds, int each, kernel_costs& out) {
  const linger at_once{1, 0};
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(at);
  const int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (door < 0 || bind(door, reinterpret_cast<sockaddr*>(&at), size) != 0 || listen(door, 128) != 0 ||
      getsockname(door, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
    return errno;
  }
  for (int r = 0; r < rounds; ++r) {
    const double cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID), wall = clock_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < each; ++i) {
      const int from = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (from < 0 || connect(from, reinterpret_cast<sockaddr*>(&at), sizeof(at)) != 0) return errno;
      const int to = accept4(door, nullptr, nullptr, SOCK_CLOEXEC);
      if (to < 0) return errno;
      setsockopt(from, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
      setsockopt(to, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
      close(from);
      close(to);
    }
    const double a = (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / each;
    const double b = (clock_ns(CLOCK_MONOTONIC) - wall) / each;
    out = {r == 0 ? a : std::min(a, out.cpu_ns), r == 0 ? b : std::min(b, out.wall_ns)};
  }
  close(door);
  return 0;
}

}  // namespace detail

/// In a child process, because a process cannot leave its new namespace. Nothing, and why, if there can be none.
inline std::optional<kernel_costs> kernel_listener(int rounds, int each, std::string& why_not) {
  struct answer {
    int error = 0;
    kernel_costs costs{};
  } a;
  int ends[2];
  if (pipe(ends) != 0) {
    why_not = std::strerror(errno);
    return std::nullopt;
  }
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    a.error = detail::own_network();
    if (a.error == 0) a.error = detail::connections(rounds, each, a.costs);
    _exit(write(ends[1], &a, sizeof(a)) == sizeof(a) ? 0 : 1);
  }
  close(ends[1]);
  const bool answered = child > 0 && read(ends[0], &a, sizeof(a)) == sizeof(a);
  close(ends[0]);
  if (child > 0) waitpid(child, nullptr, 0);
  if (answered && a.error == 0) return a.costs;
  why_not = answered ? std::strerror(a.error) : "the process ended";
  return std::nullopt;
}

inline std::string kernel_version() {
  utsname u{};
  return uname(&u) == 0 ? std::string{u.sysname} + " " + u.release : "an unknown kernel";
}

}  // namespace bench

#endif
