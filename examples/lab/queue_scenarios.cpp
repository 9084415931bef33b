// SPDX-License-Identifier: BSL-1.0
// How many fit: connects that succeed, requests that are held.
#include <algorithm>

#include "bench.hpp"
#include "matrix.hpp"
#include "world.hpp"

namespace lab {

namespace {

constexpr int largest_backlog = 14;
constexpr std::uint32_t flood = 20000;

std::vector<std::string> numbers(int to) {
  std::vector<std::string> s;
  for (int i = 0; i <= to; ++i) s.push_back(std::to_string(i));
  return s;
}

/// Clients whose connect() has returned 0 before a SYN-ACK, or a SYN, comes again.
std::string connects(const preset_entry& p, int backlog) {
  const explanation e = p.explain(backlog, {});
  const duration first_timeout =
      std::min({e.syn_acks() > 1 ? e.syn_ack_at[1] : e.dies_at, p.kernel.syn_timeout, 1 * second});
  settings s;
  s.preset = &p;
  s.backlog = backlog;
  s.gap = 10 * millisecond;
  s.clients = static_cast<unsigned>(first_timeout * 9 / 10 / s.gap);
  s.data_after = std::nullopt;
  s.until = first_start + first_timeout * 95 / 100;
  const record r = simulate(s);
  const auto n =
      std::count_if(r.clients.begin(), r.clients.end(), [](const client_log& c) { return c.connected.has_value(); });
  return n == static_cast<std::ptrdiff_t>(s.clients) ? "all" : std::to_string(n);
}

std::vector<std::string> connects_row(const preset_entry& p) {
  std::vector<std::string> cells;
  for (int backlog = 0; backlog <= largest_backlog; ++backlog) cells.push_back(connects(p, backlog));
  return cells;
}

/// Finished handshakes that wait, one after the other, nobody accepting.
std::vector<std::string> waiting_row(const preset_entry& p) {
  std::vector<std::string> cells;
  for (const int backlog : {-1, 0, 1, 5, 128, 511, 5000}) {
    bench b(p, backlog);
    cells.push_back(b.connect_until_full(flood) == flood ? "all" : std::to_string(b.kernel().queues().waiting));
  }
  return cells;
}

/// A SYN flood in one instant: requests held, and what the SYNs behind them get.
std::string half_open(const preset_entry& p, int backlog, const tunable_values_set& set) {
  bench b(p, backlog, set);
  std::size_t admitted = 0;
  std::string then;
  for (std::uint32_t i = 0; i < flood; ++i) {
    const auto o = b.syn(static_cast<std::uint16_t>(bench::first_filler + i));
    const auto out = b.taken();
    if (o->verdict == verdict::admitted && !o->stages.has(stage::evicted)) {
      ++admitted;
      continue;
    }
    then = o->verdict == verdict::cookie_sent ? " cookie"
           : o->stages.has(stage::evicted)    ? " evicts"
           : out.empty()                      ? " drop"
                                              : " RST";
    break;
  }
  return (admitted == flood ? "all" : std::to_string(admitted)) + then;
}

std::vector<std::string> half_open_row(const preset_entry& p) {
  std::vector<std::string> cells;
  for (const int backlog : {0, 1, 5, 16, 128, 1024}) cells.push_back(half_open(p, backlog, {}));
  return cells;
}

std::vector<std::string> cookieless_row(const preset_entry& p) {
  if (!p.reads(tunable::syncookies)) return {};
  std::vector<std::string> cells;
  for (const int backlog : {0, 1, 5, 16, 128, 1024}) {
    cells.push_back(half_open(p, backlog, {{tunable::syncookies, 0}}));
  }
  return cells;
}

}  // namespace

std::vector<matrix_table> queue_tables() {
  return {{"connects", "How many connects succeed: listen(0) to listen(14), nobody accepts",
           "90 clients of that system's own kernel (Linux 6.18 where it is not Linux), 10 ms apart, fewer where "
           "SYN-ACKs are "
           "sent again sooner than after 1 s; counted are the connect() calls that have returned 0 before that (UNP, "
           "figure 4.10).",
           numbers(largest_backlog), connects_row},
          {"waiting",
           "How many finished handshakes wait",
           "One client after the other, every handshake finished at once, nobody accepts: the accept queue's length in "
           "the end; \"all\": 20,000 and no end. -1 is listen(fd, -1).",
           {"-1", "0", "1", "5", "128", "511", "5000"},
           waiting_row},
          {"half_open",
           "How many half-open connections are held",
           "20,000 SYNs of different peers in one instant: how many are stored, and what the next one gets.",
           {"0", "1", "5", "16", "128", "1024"},
           half_open_row},
          {"half_open_cookieless",
           "The same with tcp_syncookies 0",
           "Those that have the switch.",
           {"0", "1", "5", "16", "128", "1024"},
           cookieless_row}};
}

}  // namespace lab
