// SPDX-License-Identifier: BSL-1.0
// The article's three experiments (sections 1.4 to 1.6), step by step as it does them by hand: a server with backlog 1
// and one client after another, with a look at the sockets in between.
#include <algorithm>
#include <iostream>
#include <iterator>

#include "commands.hpp"
#include "tables.hpp"
#include "why.hpp"
#include "world.hpp"

namespace lab {

namespace {

constexpr duration between = 8 * second;     // from one client to the next
constexpr duration until_look = 3 * second;  // from a client's start to the look at the sockets: its data are under way
constexpr instant first_client = 3 * second;

struct experiment {
  const char* section;
  const char* title;
  accept_rule::kind accept;
  std::uint32_t abort_on_overflow;
  unsigned clients;
  unsigned traced;  ///< which client's packets are shown, counted from 0; `clients` for none
};

constexpr experiment all[] = {
    {"1.4", "the server never calls accept()", accept_rule::kind::never, 0, 4, 2},
    {"1.5", "the server accepts and answers", accept_rule::kind::always, 0, 3, 3},
    {"1.6", "as 1.4, with tcp_abort_on_overflow 1", accept_rule::kind::never, 1, 3, 2},
};

settings settings_of(const experiment& e) {
  settings s;
  s.accept = {e.accept};
  s.echo = true;
  s.tunables[tunable::abort_on_overflow] = e.abort_on_overflow;
  s.moments.push_back({"", first_client - second});
  for (unsigned i = 0; i < e.clients; ++i) {
    s.starts.push_back(first_client + i * between);
    s.moments.push_back({"", s.starts.back() + until_look});
  }
  s.until = s.starts.back() + between;
  return s;
}

/// Prints the steps of one experiment; knows nothing about any of them but the order.
class narrator {
 public:
  narrator(const experiment& e, bool proc)
      : e_(e), s_(settings_of(e)), r_(simulate(s_)), rules_(rules_of(s_)), proc_(proc), look_(style::of_stdout()) {}

  void tell() {
    std::string title = std::string(e_.section) + "  " + s_.preset->title.data() + ", listen(fd, 1): " + e_.title;
    std::cout << look_.heading(title) << '\n' << look_.dim(std::string(columns, '-')) << '\n';
    step(0, "./server", "server is listening!");
    because(why(rules_));
    look(r_.snapshots.front());
    for (unsigned i = 0; i < e_.clients; ++i) {
      client(r_.clients[i]);
      look(r_.snapshots[i + 1]);
      if (i == e_.traced) trace(r_.clients[i]);
    }
    step(*s_.until, "netstat -s", {});
    print_counters(std::cout, r_.counters);
    std::cout << '\n';
  }

 private:
  void step(instant at, const std::string& command, const std::string& output) {
    std::string line = std::to_string(++number_);
    line.resize(5, ' ');
    line += "$ " + command;
    std::string when = "at " + seconds_text(at) + " s";
    std::cout << look_.strong(line)
              << std::string(line.size() + when.size() < columns ? columns - line.size() - when.size() : 1, ' ')
              << look_.dim(when) << '\n';
    if (!output.empty()) std::cout << "     " << output << '\n';
  }

  void because(const std::string& sentence) {
    paragraph(std::cout, "     why: ", sentence);
    std::cout << '\n';
  }

  void look(const snapshot& m) {
    step(m.at, proc_ ? "cat /proc/net/tcp" : "netstat -a -t -n", {});
    if (proc_) {
      print_proc(std::cout, m, look_);
    } else {
      print_netstat(std::cout, m, look_);
    }
    because(why(m.queues, rules_));
  }

  void client(const client_log& c) {
    step(c.start, "./client", {});
    const instant end = c.start + until_look + second / 2;
    for (const console_line& l : c.console) {
      if (l.at < end) std::cout << "     " << (c.error.empty() ? look_.good(l.text) : look_.bad(l.text)) << '\n';
    }
    for (const console_line& l : r_.server_console) {
      if (l.at >= c.start && l.at < end && s_.accept.when != accept_rule::kind::never)
        std::cout << look_.dim("     server: " + l.text) << '\n';
    }
    because(why(decisions(c, c.start, c.start + second / 2), rules_));
  }

  void trace(const client_log& c) {
    step(c.start, "tcpdump -i lo -p tcp -nn port " + std::to_string(c.port), {});
    print_trace(std::cout, r_, c.port, look_);
    const std::vector<decision> later = decisions(c, c.start + second / 2, *s_.until);
    because(later.empty() && !c.error.empty() ? "The RST reached the client " + std::to_string(rst_after(c)) +
                                                    " us after its SYN, before connect() had returned: ECONNRESET."
                                              : why(later, rules_));
  }

  std::vector<decision> decisions(const client_log& c, instant from, instant to) const {
    std::vector<decision> d;
    std::copy_if(r_.decisions.begin(), r_.decisions.end(), std::back_inserter(d),
                 [&](const decision& x) { return x.port == c.port && x.at >= from && x.at < to; });
    return d;
  }

  duration rst_after(const client_log& c) const {
    const auto rst = std::find_if(r_.packets.begin(), r_.packets.end(), [&](const packet& p) {
      return p.port() == c.port && p.segment.flags.has(flag::rst);
    });
    return rst == r_.packets.end() ? 0 : rst->at + s_.rtt / 2 - c.start;
  }

  experiment e_;
  settings s_;
  record r_;
  rules rules_;
  bool proc_;
  style look_;
  unsigned number_ = 0;
};

}  // namespace

int experiments(bool proc) {
  for (const experiment& e : all) narrator(e, proc).tell();
  return 0;
}

}  // namespace lab
