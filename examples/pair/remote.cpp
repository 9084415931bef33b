// SPDX-License-Identifier: BSL-1.0
#include "remote.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "runtime.hpp"

namespace pair {

namespace {

void tell(int fd, const std::string& text) {
  const std::string whole = text + '\n';
  std::size_t done = 0;
  while (done < whole.size()) {
    const ssize_t n = ::send(fd, whole.data() + done, whole.size() - done, MSG_NOSIGNAL);
    if (n <= 0) return;
    done += static_cast<std::size_t>(n);
  }
}

std::string to_line(const server_view& v) {
  std::ostringstream out;
  out << v.requests << ' ' << v.waiting << ' ' << v.counters.size();
  for (const auto& [name, value] : v.counters) out << ' ' << name << ' ' << value;
  for (const server_row& r : v.rows) out << ' ' << r.port << ' ' << static_cast<int>(r.what) << ' ' << r.bytes;
  return out.str();
}

server_view to_view(const std::string& text) {
  std::istringstream in(text);
  server_view v;
  std::size_t counters = 0;
  in >> v.requests >> v.waiting >> counters;
  v.counters.resize(counters);
  for (auto& [name, value] : v.counters) in >> name >> value;
  server_row r;
  for (int what = 0; in >> r.port >> what >> r.bytes;) {
    r.what = static_cast<known_as>(what);
    v.rows.push_back(r);
  }
  return v;
}

}  // namespace

line::line() {
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds_) != 0) throw std::runtime_error("socketpair");
}
line::~line() {
  close_ours();
  close_theirs();
}
void line::close_ours() {
  if (fds_[0] >= 0) ::close(fds_[0]);
  fds_[0] = -1;
}
void line::close_theirs() {
  if (fds_[1] >= 0) ::close(fds_[1]);
  fds_[1] = -1;
}

void obey(server& s, wire& w, int fd, const std::string& first) {
  if (!s.listen(programs::steady_now())) return refuse(fd, "listen failed");
  tell(fd, "+" + first);
  while (true) {
    const bool more = s.turn(programs::steady_now());
    const auto next = s.next_deadline();
    duration rest = more ? 0 : next ? std::max<duration>(*next - programs::steady_now(), 0) : never;
    if (w.descriptor() < 0) rest = std::min(rest, millisecond);
    pollfd fds[] = {{fd, POLLIN, 0}, {w.descriptor(), POLLIN, 0}};
    const timespec limit{.tv_sec = static_cast<time_t>(rest / second),
                         .tv_nsec = static_cast<long>(rest % second * 1000)};
    ::ppoll(fds, 2, rest == never ? nullptr : &limit, nullptr);
    if (fds[0].revents == 0) continue;
    char command = 'q';
    if (::read(fd, &command, 1) != 1 || command == 'q') return;
    while (s.turn(programs::steady_now())) continue;
    if (command == 'w') s.wake(programs::steady_now());
    tell(fd, to_line(s.view()));
  }
}

void refuse(int fd, const std::string& why) { tell(fd, "-" + why); }

remote_server::greeting_line remote_server::hello() {
  const std::string first = read_line();
  if (first.empty()) return {{}, "the server died"};
  if (first[0] == '+') return {first.substr(1), {}};
  return {{}, first.substr(1)};
}

void remote_server::wake() { ask('w'); }
server_view remote_server::view() { return to_view(ask('v')); }
void remote_server::end() { ::send(fd_, "q", 1, MSG_NOSIGNAL); }

std::string remote_server::ask(char command) {
  ::send(fd_, &command, 1, MSG_NOSIGNAL);
  return read_line();
}

std::string remote_server::read_line() {
  std::string text;
  char c = 0;
  while (::read(fd_, &c, 1) == 1 && c != '\n') text += c;
  return text;
}

}  // namespace pair
