// SPDX-License-Identifier: BSL-1.0
#include "alone.hpp"

#include <poll.h>

#include <algorithm>
#include <iostream>

#include "play.hpp"
#include "runtime.hpp"

namespace pair {

namespace {

void print_line(const std::string& text) { std::cout << text << std::endl; }

void print_server(const server_view& v) {
  constexpr const char* names[] = {"nothing", "a request", "waiting", "accepted"};
  for (const server_row& r : v.rows) {
    print_line(std::to_string(r.port) + "  " + names[static_cast<std::size_t>(r.what)] +
               (r.what == known_as::request ? "" : ", " + std::to_string(r.bytes) + " bytes"));
  }
  print_line(std::to_string(v.waiting) + " wait for accept(), requests: " + std::to_string(v.requests));
}

}  // namespace

int complain(const std::string& why) {
  std::cerr << why << '\n';
  return 1;
}

int serve_alone(server& s, wire& w, const alone& how) {
  const programs::signals on_signal;
  s.say = print_line;
  if (!s.listen(programs::steady_now())) return complain("listen: the backlog is more than this listener can hold");
  instant wakes = after(programs::steady_now(), how.sleep);
  while (!programs::signals::stop()) {
    const bool more = s.turn(programs::steady_now());
    const instant now = programs::steady_now();
    if (now >= wakes) {
      wakes = never;
      print_server(s.view());
      s.wake(now);
      continue;
    }
    if (programs::signals::state_wanted()) print_server(s.view());
    const instant next = std::min(s.next_deadline().value_or(never), wakes);
    const duration rest = more ? 0 : std::max<duration>(next - now, 0);
    const timespec limit{.tv_sec = static_cast<time_t>(rest / second),
                         .tv_nsec = static_cast<long>(rest % second * 1000)};
    pollfd one{w.descriptor(), POLLIN, 0};
    ::ppoll(&one, 1, next == never && !more ? nullptr : &limit, on_signal.mask());
    if ((one.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return complain("the transport is gone");
  }
  print_server(s.view());
  return 0;
}

int connect_alone(clients& them, const settings& s) {
  constexpr duration patience = 140 * second;  // Linux's last SYN goes unanswered at 131 s
  them.say = print_line;
  for (unsigned i = 0; i < s.clients; ++i) them.begin(programs::steady_now());
  const auto served = [](const client_view& c) { return c.sent > 0 && c.echoed == c.sent; };
  const auto ended = [served](const client_view& c) {
    return served(c) || (c.result != connect_result::unanswered && c.result != connect_result::connected);
  };
  wait_really(
      them,
      [&] {
        const auto all = them.views();
        return std::all_of(all.begin(), all.end(), ended);
      },
      patience);
  const auto all = them.views();
  them.close(programs::steady_now());
  wait_really(
      them, [&them] { return them.closed(); }, second);
  return std::all_of(all.begin(), all.end(), served) ? 0 : 1;
}

}  // namespace pair
