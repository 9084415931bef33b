// SPDX-License-Identifier: BSL-1.0
// SYN cookies: when, what comes back, how long they are good.
#include "bench.hpp"
#include "matrix.hpp"

namespace lab {

namespace {

constexpr std::uint16_t probe = 61000;
constexpr int backlog = 4;
constexpr std::uint32_t flood = 20000;

/// Fills the request queue until a SYN is not simply stored, or known; false if that never happens.
bool press(bench& b) {
  for (std::uint32_t i = 0; i < flood; ++i) {
    const auto o = b.syn(static_cast<std::uint16_t>(bench::first_filler + i));
    const bool stored = o->verdict == verdict::admitted || o->verdict == verdict::duplicate_syn;
    if (!stored || o->stages.has(stage::evicted)) return true;
  }
  return false;
}

bool finishes(bench& b, std::uint16_t port) {
  b.ack(port);
  return b.kernel().find(port) != nullptr;
}

std::string letter(const std::optional<outcome>& o) {
  return o->verdict == verdict::admitted ? "stored" : o->verdict == verdict::cookie_sent ? "cookie" : "-";
}

bool has_cookies(const preset_entry& p) { return p.explain(backlog, {}).cookies != cookie_mode::off; }

std::vector<std::string> when_row(const preset_entry& p) {
  bench idle(p, backlog);
  std::vector<std::string> cells{letter(idle.syn(probe))};
  bench b(p, backlog);
  b.syn(probe + 1);
  if (!press(b)) return {cells[0], "never full", "", ""};
  b.taken();
  const auto o = b.syn(probe);
  cells.push_back(letter(o));
  cells.push_back(b.taken().empty() ? "" : finishes(b, probe) ? "done" : "no");
  // The first request, which the flood may have thrown out.
  cells.push_back(b.waits(probe + 1) ? "was kept" : finishes(b, probe + 1) ? "done" : "no");
  return cells;
}

/// What a connection that came out of a cookie knows of the peer's options.
std::string options_back(const preset_entry& p, tcp_options o) {
  bench b(p, backlog);
  if (!press(b) || b.syn(probe, o)->verdict != verdict::cookie_sent) return "-";
  segment s = b.from(probe, flag::ack, 1, 1);
  if (o.timestamps) {
    s.options.timestamps = true;
    s.options.ts_value = o.ts_value + 1;
    s.options.ts_echo = b.clock_of(probe);
  }
  b.put(s);
  const stack::child* c = b.kernel().find(probe);
  if (c == nullptr) return "no";
  std::string text = std::to_string(c->shake.peer_mss);
  if (c->shake.window_scaling) text += " ws" + std::to_string(c->shake.send_scale);
  if (c->shake.sack) text += " sack";
  if (c->shake.timestamps) text += " ts";
  return text;
}

std::vector<std::string> options_row(const preset_entry& p) {
  if (!has_cookies(p)) return {};
  std::vector<std::string> cells;
  for (const int mss : {300, 536, 1000, 1400, 1460, 9000}) {
    cells.push_back(options_back(p, {.mss = static_cast<std::uint16_t>(mss)}));
  }
  tcp_options o = usual_options();
  cells.push_back(options_back(p, o));
  o.timestamps = false;
  cells.push_back(options_back(p, o));
  return cells;
}

/// The latest of these ages at which the ACK of a cookie still finishes the handshake.
std::string good_for(const preset_entry& p, bool others_follow) {
  std::string best = "-";
  for (const int age : {0, 1, 2, 3, 4, 10, 14, 16, 29, 31, 59, 61, 64, 119, 121, 128, 179, 181, 239, 241, 300}) {
    bench b(p, backlog);
    if (!press(b) || b.syn(probe)->verdict != verdict::cookie_sent) return "-";
    for (int t = 0; t < age; ++t) {
      b.pass((t + 1) * second);
      if (others_follow) press(b);
    }
    if (finishes(b, probe)) best = std::to_string(age) + " s";
  }
  return best;
}

std::vector<std::string> life_row(const preset_entry& p) {
  if (!has_cookies(p)) return {};
  return {good_for(p, false), good_for(p, true)};
}

}  // namespace

std::vector<matrix_table> cookie_tables() {
  return {{"cookies",
           "When there are SYN cookies",
           "listen(4). What the first SYN gets; what a SYN gets once the request queue is full, and whether its ACK "
           "finishes the handshake; and the ACK of a request that was there before the flood.",
           {"empty queue", "full queue", "its ACK", "an older one's ACK"},
           when_row},
          {"cookie_options",
           "What a cookie remembers",
           "The MSS of the SYN, in bytes, and what the connection got; then a SYN with MSS 1460, window scale 10, SACK "
           "and timestamps, and the same without timestamps.",
           {"300", "536", "1000", "1400", "1460", "9000", "all", "no timestamps"},
           options_row},
          {"cookie_life",
           "How long a cookie is good",
           "The latest age, of 0 to 300 s tried, at which its ACK finishes the handshake: with no other cookie sent "
           "since, and with one sent every second. The clock starts at 0: ages are of the whole minute.",
           {"alone", "under a flood"},
           life_row}};
}

}  // namespace lab
