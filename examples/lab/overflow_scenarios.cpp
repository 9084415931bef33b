// SPDX-License-Identifier: BSL-1.0
// What a full queue answers: at the SYN and at the final ACK.
#include "bench.hpp"
#include "matrix.hpp"

namespace lab {

namespace {

constexpr std::uint16_t probe = 61000;
constexpr int backlog = 4;
constexpr std::uint32_t more_than_any_backlog = 2000;

std::string reply(bench& b) { return letters_of(b.taken()); }

std::string syn_at_full(const preset_entry& p, unsigned young) {
  bench b(p, backlog);
  if (b.connect_until_full(more_than_any_backlog) == more_than_any_backlog) return "never full";
  b.taken();
  // The handshake that found no room may have left its own request.
  unsigned have = b.kernel().queues().young;
  for (std::uint16_t port = probe + 1; have < young; ++port, ++have) b.syn(port);
  b.taken();
  const auto o = b.syn(probe);
  const std::string said = reply(b);
  return said + (o->verdict == verdict::cookie_sent ? " cookie" : "");
}

std::vector<std::string> syn_row(const preset_entry& p) {
  return {syn_at_full(p, 0), syn_at_full(p, 1), syn_at_full(p, 2), syn_at_full(p, 3)};
}

std::string fate(bench& b, std::uint16_t port) {
  if (b.kernel().find(port) != nullptr) return "done";
  return b.waits(port) ? "kept" : "gone";
}

/// One slot is left and requests wait for it; they finish one after the other: what the one too many gets.
struct late_ack {
  bench b;
  std::uint16_t port = 0;  ///< 0: there was always room
  std::string said;
  late_ack(const preset_entry& p, const tunable_values_set& set) : b(p, backlog, set) {
    std::uint32_t slots = 0;
    {
      bench scout(p, backlog, set);
      slots = scout.connect_until_full(more_than_any_backlog);
    }
    if (slots == 0 || slots == more_than_any_backlog) return;
    b.connect_until_full(slots - 1);
    std::uint16_t last = probe;
    while (last < probe + 3 && b.syn(last) && b.waits(last)) ++last;
    b.taken();
    for (std::uint16_t i = probe; i < last && port == 0; ++i) {
      b.ack(i, 13);
      if (b.kernel().find(i) == nullptr) {
        port = i;
        said = reply(b);
      } else {
        b.taken();
      }
    }
  }
};

std::vector<std::string> ack_row(const preset_entry& p) {
  late_ack late(p, {});
  std::vector<std::string> cells;
  if (late.port == 0) return {"never", "", "", "", ""};
  bench& b = late.b;
  cells.push_back(late.said + " " + fate(b, late.port));
  b.ack(late.port, 13);
  cells.push_back(reply(b) + " " + fate(b, late.port));
  b.kernel().accept(b.now());
  b.ack(late.port, 13);
  cells.push_back(reply(b) + " " + fate(b, late.port));
  b.ack(late.port, 0);
  cells.push_back(reply(b));
  if (p.reads(tunable::abort_on_overflow)) {
    late_ack aborted(p, {{tunable::abort_on_overflow, 1}});
    cells.push_back(aborted.said + " " + fate(aborted.b, aborted.port));
  } else {
    cells.push_back("=");
  }
  return cells;
}

}  // namespace

std::vector<matrix_table> overflow_tables() {
  return {{"syn_at_full",
           "What a SYN gets while the accept queue is full",
           "listen(4), full; by how many young requests there are. S. is a SYN-ACK, - silence.",
           {"none young", "1 young", "2 young", "3 young"},
           syn_row},
          {"ack_at_full",
           "What the final ACK, with 13 bytes of data, gets when there is no room any more",
           "listen(4), one slot left, up to three requests for it. Answer, and what becomes of the request (kept, "
           "gone, done = a "
           "connection); \"never\": whoever was admitted finds room. Then the data come again, while it is full, and "
           "after one accept(); then an ACK alone.",
           {"ACK + data", "again", "after accept()", "ACK again", "abort_on_overflow"},
           ack_row}};
}

}  // namespace lab
