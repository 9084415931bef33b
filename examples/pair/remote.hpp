// SPDX-License-Identifier: BSL-1.0
// A server that runs elsewhere, in another thread or another process, and is told what to do through a socket: one
// letter a command, one line an answer.
#pragma once

#include <string>

#include "server.hpp"

namespace pair {

/// The two ends of a stream socket; closed with it.
class line {
 public:
  line();
  line(const line&) = delete;
  line& operator=(const line&) = delete;
  ~line();
  int ours() const noexcept { return fds_[0]; }
  int theirs() const noexcept { return fds_[1]; }
  void close_ours();
  void close_theirs();

 private:
  int fds_[2];
};

/// The server's side: says `first` and serves until the other end says so or is gone.
void obey(server&, wire&, int fd, const std::string& first);
/// Says why there is no server.
void refuse(int fd, const std::string& why);

/// What the other side holds.
class remote_server {
 public:
  explicit remote_server(int fd) : fd_(fd) {}
  /// What the server said first, or why there is none: one of the two is empty.
  struct greeting_line {
    std::string text;
    std::string trouble;
  };
  greeting_line hello();
  void wake();
  server_view view();
  void end();

 private:
  std::string ask(char command);
  std::string read_line();
  int fd_;
};

}  // namespace pair
