// SPDX-License-Identifier: BSL-1.0
// Close, listen again, and a connection that is reset before it is accepted.
#include "bench.hpp"
#include "matrix.hpp"

namespace lab {

namespace {

constexpr std::uint16_t probe = 61000;

std::string reply(bench& b) { return letters_of(b.taken()); }

std::vector<std::string> close_row(const preset_entry& p) {
  bench b(p, 16);
  b.connect_until_full(2);
  b.syn(probe);
  b.syn(probe + 1);
  const bool kept = b.waits(probe);
  b.taken();
  b.kernel().close(b.now());
  std::vector<std::string> cells{reply(b)};
  if (!kept) return {cells[0], "no request", "no request", "", ""};
  b.pass(10 * second);
  cells.push_back(reply(b));
  b.ack(probe);
  cells.push_back(reply(b));
  b.syn(probe + 2);
  cells.push_back(reply(b));
  b.kernel().listen(16, b.now());
  b.ack(probe + 1);
  cells.push_back(reply(b) + (b.kernel().find(probe + 1) != nullptr ? " done" : ""));
  return cells;
}

std::string more(bench& b) {
  const std::uint32_t before = b.kernel().queues().waiting;
  b.connect_until_full(2000);
  return std::to_string(b.kernel().queues().waiting - before);
}

std::vector<std::string> again_row(const preset_entry& p) {
  bench b(p, 2);
  std::vector<std::string> cells{more(b)};
  b.kernel().listen(6, b.now());
  cells.push_back(more(b));
  const std::uint32_t many = b.kernel().queues().waiting;
  b.kernel().listen(1, b.now());
  cells.push_back(b.kernel().queues().waiting == many ? "none" : "some");
  std::uint32_t taken = 0;
  while (taken < 2000) {
    b.taken();
    b.syn(static_cast<std::uint16_t>(probe + taken));
    b.ack(static_cast<std::uint16_t>(probe + taken));
    if (b.kernel().find(static_cast<std::uint16_t>(probe + taken)) != nullptr) break;
    if (b.kernel().accept(b.now()) == nullptr) break;
    ++taken;
  }
  cells.push_back(std::to_string(taken));
  return cells;
}

std::vector<std::string> reset_row(const preset_entry& p) {
  bench b(p, 4);
  b.syn(probe);
  b.ack(probe);
  if (b.kernel().find(probe) == nullptr) return {"no connection", ""};
  b.put(b.from(probe, flag::rst, 1));
  const std::uint32_t waiting = b.kernel().queues().waiting;
  const bool returned = b.kernel().accept(b.now()) != nullptr;
  return {std::to_string(waiting), returned ? "returns it" : "error"};
}

std::vector<std::string> shutdown_row(const preset_entry& p) {
  bench b(p, 16);
  b.connect_until_full(1);
  b.syn(probe);
  b.syn(probe + 1);
  b.taken();
  b.kernel().shutdown(b.now());
  std::vector<std::string> cells{reply(b)};
  b.ack(probe);
  cells.push_back(reply(b));
  b.kernel().listen(16, b.now());
  b.ack(probe + 1);
  cells.push_back(reply(b) + (b.kernel().find(probe + 1) != nullptr ? " done" : ""));
  return cells;
}

std::vector<std::string> icmp_row(const preset_entry& p) {
  std::vector<std::string> cells;
  for (const icmp_error e : {icmp_error::network_unreachable, icmp_error::host_unreachable,
                             icmp_error::protocol_unreachable, icmp_error::port_unreachable, icmp_error::prohibited,
                             icmp_error::time_exceeded, icmp_error::parameter_problem}) {
    bench b(p, 16);
    b.syn(probe);
    cells.emplace_back(!b.waits(probe) ? "no request" : b.icmp(probe, e) ? "ends" : "stays");
  }
  bench b(p, 16);
  b.syn(probe);
  const bool first = b.icmp(probe, icmp_error::host_unreachable);
  b.pass(30 * second);
  cells.emplace_back(first || !b.waits(probe) ? "" : b.icmp(probe, icmp_error::host_unreachable) ? "ends" : "stays");
  return cells;
}

}  // namespace

std::vector<matrix_table> life_tables() {
  return {{"close",
           "The listener closes",
           "Two connections wait, two requests. What goes out at once; what goes out in the next 10 s; what the final "
           "ACK of a request gets then; what a new SYN gets; and, after another listen(), the other request's ACK.",
           {"at once", "in 10 s", "ACK", "SYN", "ACK after listen()"},
           close_row},
          {"shutdown",
           "The listener is shut down for reading",
           "A connection waits, two requests. What goes out at once; what the final ACK of a request gets; and, after "
           "another listen(), the other request's ACK.",
           {"at once", "ACK", "ACK after listen()"},
           shutdown_row},
          {"icmp",
           "An ICMP error about a SYN-ACK",
           "Over IPv4, what the first error does to the request, by what it says; and whether a second \"host "
           "unreachable\", after 30 s, ends one that has survived the first.",
           {"network", "host", "protocol", "port", "prohibited", "time exceeded", "parameter", "host again"},
           icmp_row},
          {"again",
           "listen() again while it listens",
           "listen(2), filled; how many more fit after listen(6); whether anybody is thrown out by listen(1); how many "
           "accept() calls it then takes until a new client gets in.",
           {"listen(2)", "listen(6)", "thrown out", "accepts"},
           again_row},
          {"reset",
           "A connection is reset while it waits",
           "How many slots it still takes, and what accept() does with it.",
           {"slots", "accept()"},
           reset_row}};
}

}  // namespace lab
