// SPDX-License-Identifier: BSL-1.0
#include "play.hpp"

#include <poll.h>

#include <algorithm>
#include <array>

#include "runtime.hpp"

namespace pair {

namespace {

constexpr duration a_turn = second;         // for a client that gets no answer, before the next one begins
constexpr duration patience = 20 * second;  // until everybody has been served

bool has_ended(const client_view& c) {
  return c.result != connect_result::unanswered && c.result != connect_result::connected;
}

look look_at(const stage& s) { return {s.look_at_server(), s.them.views()}; }

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

std::string text_of(const client_view& c) {
  constexpr const char* results[] = {"no answer", "connected", "refused", "reset", "timed out"};
  std::string text = padded(results[static_cast<std::size_t>(c.result)], 11);
  if (c.result != connect_result::connected) return text;
  text += std::to_string(c.acked) + " of " + std::to_string(c.sent) + " acked";
  return c.echoed == 0 ? text : text + ", " + std::to_string(c.echoed) + " back";
}

std::string text_of(const server_view& v, std::uint16_t port) {
  constexpr const char* names[] = {"nothing", "a request", "waiting", "accepted"};
  const auto i = std::find_if(v.rows.begin(), v.rows.end(), [port](const server_row& r) { return r.port == port; });
  if (i == v.rows.end()) return names[0];
  const std::string name = names[static_cast<std::size_t>(i->what)];
  return i->what == known_as::request ? name : name + ", " + std::to_string(i->bytes) + " bytes";
}

std::string text_of(const server_view& v) {
  return std::to_string(v.waiting) + " wait for accept(), requests: " + std::to_string(v.requests);
}

constexpr std::size_t client_width = 38;

}  // namespace

table play(const settings& s, const stage& on) {
  table t;
  const auto views = [&on] { return on.them.views(); };
  for (unsigned i = 0; i < s.clients; ++i) {
    on.them.begin(on.now());
    on.wait(
        [&views] {
          const client_view c = views().back();
          return has_ended(c) || (c.sent > 0 && c.acked == c.sent);
        },
        a_turn);
  }
  t.before = look_at(on);
  on.wake_server();
  on.wait(
      [&views] {
        const auto all = views();
        return std::all_of(all.begin(), all.end(), [](const client_view& c) {
          return has_ended(c) || (c.sent > 0 && c.echoed == c.sent && c.acked == c.sent);
        });
      },
      patience);
  t.after = look_at(on);
  on.them.close(on.now());
  on.wait([&on] { return on.them.closed(); }, second);
  return t;
}

table play_with(const settings& s, clients& them, remote_server& server) {
  const table t = play(s, {.them = them,
                           .wake_server = [&server] { server.wake(); },
                           .look_at_server = [&server] { return server.view(); },
                           .now = programs::steady_now,
                           .wait = [&them](const auto& done, duration at_most) { wait_really(them, done, at_most); }});
  server.end();
  return t;
}

void wait_really(clients& them, const std::function<bool()>& done, duration at_most) {
  const instant end = programs::steady_now() + at_most;
  while (true) {
    them.turn(programs::steady_now());
    const instant now = programs::steady_now();
    if (done() || now >= end) return;
    const auto next = them.next_deadline();
    duration rest = std::min(end, next.value_or(end)) - now;
    if (them.descriptor() < 0) rest = std::min(rest, millisecond);
    pollfd one{them.descriptor(), POLLIN, 0};
    ::poll(&one, 1, static_cast<int>((std::max<duration>(rest, 0) + millisecond - 1) / millisecond));
  }
}

std::vector<std::string> lines_of(const look& l) {
  std::vector<std::string> lines;
  for (const client_view& c : l.clients) {
    lines.push_back(std::to_string(c.port) + "  " + padded(text_of(c), client_width) + text_of(l.server, c.port));
  }
  lines.push_back("the server: " + text_of(l.server));
  return lines;
}

std::vector<std::string> lines_of(const table& t) {
  std::vector<std::string> lines{"while the server sleeps"};
  for (const look* l : {&t.before, &t.after}) {
    if (l == &t.after) lines.emplace_back("after it has called accept()");
    lines.push_back(padded("client", 7) + padded("connect() and 13 bytes", client_width) + "the server has");
    for (std::string& text : lines_of(*l)) lines.push_back(std::move(text));
  }
  return lines;
}

std::string counters_of(const table& t) {
  std::string text;
  for (const auto& [name, value] : t.after.server.counters) {
    text += (text.empty() ? "" : ", ") + name + ' ' + std::to_string(value);
  }
  return text;
}

}  // namespace pair
