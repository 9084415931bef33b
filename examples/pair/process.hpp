// SPDX-License-Identifier: BSL-1.0
// The server in a process of its own.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "remote.hpp"
#include "transports.hpp"

namespace pair {

/// Runs `serve(fd)` in another process and `talk(remote_server, its greeting)` in this one; both hold an end of a line.
template <class Serve, class Talk>
played in_two_processes(Serve serve, Talk talk) {
  line control;
  const pid_t child = ::fork();
  if (child < 0) return {{}, "fork failed"};
  if (child == 0) {
    control.close_ours();
    serve(control.theirs());
    ::_exit(0);
  }
  control.close_theirs();
  remote_server remote(control.ours());
  const auto first = remote.hello();
  played p;
  p.trouble = first.trouble;
  if (p.trouble.empty()) p = talk(remote, first.text);
  control.close_ours();
  int status = 0;
  ::waitpid(child, &status, 0);
  if (p.trouble.empty() && status != 0) p.trouble = "the server's process ended badly";
  return p;
}

}  // namespace pair
