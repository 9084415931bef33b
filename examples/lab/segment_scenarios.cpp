// SPDX-License-Identifier: BSL-1.0
// What an odd segment gets: where there is a request, and where there is none.
#include <functional>

#include "bench.hpp"
#include "matrix.hpp"

namespace lab {

namespace {

constexpr std::uint16_t probe = 61000;

/// One odd segment, made on a bench that knows the ISNs.
struct odd {
  const char* name;
  std::function<segment(const bench&)> make;
};

odd plain(const char* name, flags f, std::int64_t seq, std::int64_t ack = 0, std::size_t bytes = 0) {
  return {name, [=](const bench& b) { return b.from(probe, f, seq, ack, bytes); }};
}
odd stamped(const char* name, flags f, std::int64_t seq, std::int64_t ack, std::uint32_t value, std::int64_t echo) {
  return {name, [=](const bench& b) {
            segment s = b.from(probe, f, seq, ack);
            s.options.timestamps = true;
            s.options.ts_value = value;
            s.options.ts_echo = b.clock_of(probe) + static_cast<std::uint32_t>(echo);
            return s;
          }};
}

std::vector<std::string> names(const std::vector<odd>& all) {
  std::vector<std::string> s;
  for (const odd& o : all) s.emplace_back(o.name);
  return s;
}

/// Each on a bench of its own, where a request waits.
std::vector<std::string> at_request(const preset_entry& p, const std::vector<odd>& all, bool timestamps) {
  std::vector<std::string> cells;
  for (const odd& o : all) {
    bench b(p, 16);
    const auto first = b.syn(probe, timestamps ? usual_options() : tcp_options{.mss = 1460});
    if (first->verdict != verdict::admitted) {
      cells.emplace_back("no request");
      continue;
    }
    b.pass(600 * millisecond);
    b.taken();
    b.put(o.make(b));
    const std::string said = letters_of(b.taken());
    cells.push_back(said + (b.kernel().find(probe) != nullptr ? " done" : b.waits(probe) ? " kept" : " gone"));
  }
  return cells;
}

/// Each on a bench of its own, where nothing is known of the peer.
std::vector<std::string> at_listener(const preset_entry& p, const std::vector<odd>& all) {
  std::vector<std::string> cells;
  for (const odd& o : all) {
    bench b(p, 16);
    b.put(o.make(b));
    cells.push_back(letters_of(b.taken()));
  }
  return cells;
}

const std::vector<odd>& lone() {
  static const std::vector<odd> all{
      plain("A", flag::ack, 1, 777),
      plain("A+13", flag::ack | flag::psh, 1, 777, 13),
      plain("FA", flag::fin | flag::ack, 1, 777),
      plain("SA", flag::syn | flag::ack, 0, 777),
      plain("R", flag::rst, 1),
      plain("RA", flag::rst | flag::ack, 1, 777),
      plain("F", flag::fin, 1),
      plain("SF", flag::syn | flag::fin, 0),
      plain("SR", flag::syn | flag::rst, 0),
      plain("none", flag::none, 1),
      plain("+13", flag::none, 1, 0, 13),
  };
  return all;
}
const std::vector<odd>& syns() {
  static const std::vector<odd> all{
      plain("same", flag::syn, 0),
      plain("same+13", flag::syn, 0, 0, 13),
      plain("+100", flag::syn, 100),
      plain("-1", flag::syn, -1),
      plain("+100000", flag::syn, 100000),
      plain("SF", flag::syn | flag::fin, 0),
      plain("SA, right", flag::syn | flag::ack, 0, 1),
      plain("SA, wrong", flag::syn | flag::ack, 0, 2),
  };
  return all;
}
const std::vector<odd>& acks() {
  static const std::vector<odd> all{
      plain("right", flag::ack, 1, 1),
      plain("right+13", flag::ack | flag::psh, 1, 1, 13),
      plain("FIN", flag::fin | flag::ack, 1, 1),
      plain("ack +1", flag::ack, 1, 2),
      plain("ack -1", flag::ack, 1, 0),
      plain("seq +100", flag::ack, 101, 1),
      plain("seq at ISN", flag::ack, 0, 1),
      plain("seq -1", flag::ack, -1, 1),
      plain("seq +100000", flag::ack, 100001, 1),
  };
  return all;
}
const std::vector<odd>& others() {
  static const std::vector<odd> all{
      plain("R exact", flag::rst, 1),
      plain("R +99", flag::rst, 100),
      plain("R at ISN", flag::rst, 0),
      plain("R before", flag::rst, -1),
      plain("R beyond", flag::rst, 100001),
      plain("RA, wrong ack", flag::rst | flag::ack, 1, 7),
      plain("F", flag::fin, 1),
      plain("none", flag::none, 1),
      plain("+13", flag::none, 1, 0, 13),
  };
  return all;
}
const std::vector<odd>& times() {
  static const std::vector<odd> all{
      stamped("right", flag::ack, 1, 1, 5001, 0),
      stamped("old value", flag::ack, 1, 1, 4000, 0),
      stamped("echo too new", flag::ack, 1, 1, 5001, 100000),
      stamped("echo too old", flag::ack, 1, 1, 5001, -100000),
      plain("none", flag::ack, 1, 1),
      stamped("R, old value", flag::rst, 1, 0, 4000, 0),
      stamped("SYN, old value", flag::syn, 0, 0, 4000, 0),
  };
  return all;
}

}  // namespace

std::vector<matrix_table> segment_tables() {
  return {{"stray", "A segment that belongs to nothing", "The answer; S. would be a SYN-ACK, . an ACK, - is silence.",
           names(lone()), [](const preset_entry& p) { return at_listener(p, lone()); }},
          {"syn_at_request", "A SYN at a request, 0.6 s after the first",
           "By its sequence number. The answer, and what becomes of the request (kept, gone, done = a connection).",
           names(syns()), [](const preset_entry& p) { return at_request(p, syns(), false); }},
          {"ack_at_request", "An ACK at a request", "Both numbers as they should be, or one of them off.",
           names(acks()), [](const preset_entry& p) { return at_request(p, acks(), false); }},
          {"other_at_request", "RST, FIN, data and nothing at a request",
           "R exact: at the very next number; before, beyond: outside the window.", names(others()),
           [](const preset_entry& p) { return at_request(p, others(), false); }},
          {"times_at_request", "Timestamps at a request that has them",
           "The final ACK with the value and the echo right, old, never sent; without any; and a RST, a SYN.",
           names(times()), [](const preset_entry& p) { return at_request(p, times(), true); }}};
}

}  // namespace lab
