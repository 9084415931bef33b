// SPDX-License-Identifier: BSL-1.0
#include "report.hpp"

#include <algorithm>
#include <ostream>

#include "fates.hpp"
#include "tables.hpp"
#include "why.hpp"

namespace lab {

namespace {

std::string seconds(duration d) { return seconds_text(d) + " s"; }

std::string accept_text(const accept_rule& a) {
  switch (a.when) {
    case accept_rule::kind::never:
      return "never accept()";
    case accept_rule::kind::always:
      return "accept() at once";
    case accept_rule::kind::from:
      return "accept() from " + seconds(a.at) + " on";
    case accept_rule::kind::once:
      return "accept() what waits at " + seconds(a.at);
  }
  return {};
}

void print_title(std::ostream& out, const settings& s, const style& look) {
  out << look.heading(title_of(s)) << '\n';
  paragraph(out, "     ", tunables_of(s) + "; seed " + std::to_string(s.seed));
  paragraph(out, "     ", why(rules_of(s)));
}

std::vector<decision> decisions_of(const record& r, std::uint16_t port) {
  std::vector<decision> d;
  std::copy_if(r.decisions.begin(), r.decisions.end(), std::back_inserter(d),
               [port](const decision& x) { return x.port == port; });
  return d;
}

void print_clients(std::ostream& out, const settings& s, const record& r, const style& look) {
  out << '\n' << look.strong("Clients") << '\n';
  for (const client_log& c : r.clients) {
    std::string line = "     " + std::to_string(c.port) + "  at " + seconds(c.start) + ":  ";
    if (c.start > end_of(s)) {
      out << line << "not started\n";
      continue;
    }
    if (c.console.empty()) line += "no answer to connect() yet (SYN_SENT)";
    out << line;
    for (std::size_t i = 0; i < c.console.size(); ++i) {
      const std::string said = c.console[i].text;
      if (i > 0) out << std::string(line.size(), ' ');
      out << (c.error.empty() ? look.good(said) : look.bad(said)) << "  (" << seconds(c.console[i].at) << ")\n";
    }
    if (c.console.empty()) out << '\n';
    if (!c.received.empty()) out << std::string(line.size(), ' ') << look.bad("later: " + c.received) << '\n';
  }
}

void print_traces(std::ostream& out, const settings& s, const record& r, const style& look) {
  const rules rule = rules_of(s);
  for (const std::vector<std::uint16_t>& ports : alike_clients(r)) {
    if (std::none_of(r.packets.begin(), r.packets.end(), [&](const packet& p) { return p.port() == ports.front(); }))
      continue;
    out << '\n' << look.strong("tcpdump -i lo -p tcp -nn port " + std::to_string(ports.front()));
    if (ports.size() > 1) out << look.dim("   " + others(ports) + " alike");
    out << look.dim("   seconds since its SYN") << '\n';
    print_trace(out, r, ports.front(), look);
    paragraph(out, "     why: ", why(decisions_of(r, ports.front()), rule));
  }
}

}  // namespace

std::string title_of(const settings& s) {
  const unsigned n = client_count(s);
  return std::string(s.preset->title) + ": listen(fd, " + std::to_string(s.backlog) + "), " + std::to_string(n) +
         (n == 1 ? " client, " : " clients, ") + accept_text(s.accept);
}

std::string tunables_of(const settings& s) {
  std::string text;
  for (const tunable t : {tunable::abort_on_overflow, tunable::syncookies, tunable::max_syn_backlog, tunable::somaxconn,
                          tunable::synack_retries}) {
    const char* const prefix = t == tunable::somaxconn ? "" : "tcp_";
    text += (text.empty() ? "" : ", ") + std::string(prefix) + name_of(t) + ' ' +
            std::to_string(s.preset->value(t, s.tunables));
  }
  return text;
}

void print_report(std::ostream& out, const settings& s, const record& r, bool proc) {
  const style look = style::of_stdout();
  print_title(out, s, look);
  print_clients(out, s, r, look);
  for (const snapshot& m : r.snapshots) {
    std::string name = m.name;
    std::replace(name.begin(), name.end(), '_', ' ');
    out << '\n' << look.strong("Sockets at " + seconds(m.at) + ", " + name) << '\n';
    if (proc) {
      print_proc(out, m, look);
    } else {
      print_netstat(out, m, look);
    }
    paragraph(out, "     why: ", why(m.queues, rules_of(s)));
  }
  print_traces(out, s, r, look);
  out << '\n' << look.strong("netstat -s") << look.dim("   since the first client") << '\n';
  print_counters(out, r.counters);
  out << '\n' << look.strong("Causes") << look.dim("   which rule it was, how often; not in any kernel") << '\n';
  print_causes(out, r.causes);
}

}  // namespace lab
