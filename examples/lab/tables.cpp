// SPDX-License-Identifier: BSL-1.0
#include "tables.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <listenq/transport/traced.hpp>
#include <ostream>

#include "segment_text.hpp"
#include "socket_text.hpp"

namespace lab {

namespace {

template <class... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 256> line{};
  const int n = std::snprintf(line.data(), line.size(), pattern, values...);
  return {line.data(), static_cast<std::size_t>(std::clamp(n, 0, 255))};
}

/// include/net/tcp_states.h.
unsigned state_number(const socket_row& r) {
  if (r.listens) return 10;
  switch (r.state) {
    case connection_state::established:
      return 1;
    case connection_state::syn_sent:
      return 2;
    case connection_state::syn_received:
      return 3;
    case connection_state::fin_wait_1:
      return 4;
    case connection_state::fin_wait_2:
      return 5;
    case connection_state::time_wait:
      return 6;
    case connection_state::closed:
      return 7;
    case connection_state::close_wait:
      return 8;
    case connection_state::last_ack:
      return 9;
    case connection_state::closing:
      return 11;
  }
  return 0;
}

std::string remote_text(const socket_row& r) { return r.listens ? "0.0.0.0:*" : to_text(r.remote); }

std::string proc_endpoint(const endpoint& e) {
  const std::uint32_t a = e.address.value;
  const std::uint32_t swapped =
      a << 24 | (a & 0xff00) << 8 | (a >> 8 & 0xff00) | a >> 24;  // as a little endian writes it
  return format("%08X:%04X", swapped, unsigned{e.port});
}

struct counter_text {
  const char* name;
  const char* before;
  const char* after;
};
constexpr counter_text counter_texts[] = {
    {"TcpActiveOpens", "", " active connection openings"},
    {"TcpPassiveOpens", "", " passive connection openings"},
    {"TcpAttemptFails", "", " failed connection attempts"},
    {"TcpCurrEstab", "", " connections established"},
    {"TcpInSegs", "", " segments received"},
    {"TcpOutSegs", "", " segments sent out"},
    {"TcpRetransSegs", "", " segments retransmitted"},
    {"TcpOutRsts", "", " resets sent"},
    {"TcpExtSyncookiesSent", "", " SYN cookies sent"},
    {"TcpExtSyncookiesRecv", "", " SYN cookies received"},
    {"TcpExtSyncookiesFailed", "", " invalid SYN cookies received"},
    {"TcpExtEmbryonicRsts", "", " resets received for embryonic SYN_RECV sockets"},
    {"TcpExtListenOverflows", "", " times the listen queue of a socket overflowed"},
    {"TcpExtListenDrops", "", " SYNs to LISTEN sockets ignored"},
    {"TcpExtTCPReqQFullDrop", "TCPReqQFullDrop: ", ""},
    {"TcpExtTCPReqQFullDoCookies", "TCPReqQFullDoCookies: ", ""},
    {"TcpExtTCPDeferAcceptDrop", "TCPDeferAcceptDrop: ", ""},
    {"TcpExtTCPTimeouts", "TCPTimeouts: ", ""},
    {"TcpExtTCPSynRetrans", "TCPSynRetrans: ", ""},
    {"TcpExtTCPChallengeACK", "TCPChallengeACK: ", ""},
};

}  // namespace

void print_netstat(std::ostream& out, const snapshot& s, const style& look) {
  out << look.dim("     Proto Recv-Q Send-Q Local Address           Foreign Address         State") << '\n';
  for (const socket_row& r : s.sockets) {
    const std::string state = netstat_name(r);
    out << format("     tcp   %6zu %6zu %-23s %-23s ", r.listens ? 0 : r.receive_queue, r.listens ? 0 : r.send_queue,
                  to_text(r.local).c_str(), remote_text(r).c_str())
        << (state == "ESTABLISHED"                       ? look.good(state)
            : state == "SYN_RECV" || state == "SYN_SENT" ? look.bad(state)
                                                         : state)
        << '\n';
  }
}

void print_proc(std::ostream& out, const snapshot& s, const style& look) {
  out << look.dim("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode")
      << '\n';
  unsigned line = 0;
  for (const socket_row& r : s.sockets) {
    const bool request = r.is_servers() && r.state == connection_state::syn_received;
    const std::size_t sent = r.listens ? 0 : r.send_queue;
    const auto ticks = static_cast<unsigned>(r.timer.value_or(0) / (10 * millisecond));  // USER_HZ is 100
    ++line;
    out << format("%4u: ", line - 1) << proc_endpoint(r.local) << ' ' << proc_endpoint(r.remote)
        << format(" %02X %08X:%08X %02X:%08X %08X %5u %8d %u", state_number(r), static_cast<unsigned>(sent),
                  static_cast<unsigned>(r.receive_queue), r.timer ? 1U : 0U, ticks, r.retransmits, 0U, 0,
                  request ? 0U : 20000U + line)
        << '\n';
  }
}

void print_counters(std::ostream& out, const counts& counters) {
  for (const counter_text& t : counter_texts) {
    const auto i = counters.find(t.name);
    if (i != counters.end()) out << "     " << t.before << i->second << t.after << '\n';
  }
  for (const auto& [name, value] : counters) {
    const bool of_bsd = name.starts_with("tcps_") || name.starts_with("TCP_STAT_");
    if (of_bsd) out << "     " << name << ": " << value << '\n';
  }
}

void print_causes(std::ostream& out, const std::vector<cause_line>& causes) {
  for (const cause_line& c : causes) {
    std::string line = format("%7llu  %s", static_cast<unsigned long long>(c.times), c.verdict.c_str());
    line.resize(std::max<std::size_t>(line.size() + 1, 31), ' ');
    std::string moved;
    for (const auto& [name, n] : c.moved) {
      const std::size_t prefix = name.starts_with("TcpExt") ? 6 : name.starts_with("Tcp") ? 3 : 0;
      moved += (moved.empty() ? ": " : ", ") + name.substr(prefix) + ' ' + std::to_string(n);
    }
    out << line << c.why << moved << '\n';
    if (!c.rule.empty()) out << std::string(31, ' ') << "by " << c.rule << '\n';
  }
}

void print_trace(std::ostream& out, const record& r, std::uint16_t port, const style& look) {
  relative_numbers numbers;
  std::optional<instant> first;
  for (const packet& p : r.packets) {
    if (p.port() != port) continue;
    if (!first) first = p.at;
    const auto n = numbers.of(p);
    const segment& s = p.segment;
    const std::size_t size = p.payload.size();
    std::string line = format("%12.6f  %u > %u: ", static_cast<double>(p.at - *first) / 1e6, unsigned{s.source.port},
                              unsigned{s.destination.port}) +
                       "Flags [" + (s.flags == flag::none ? "none" : letters_of(s.flags)) + ']';
    if (s.flags.has(flag::syn)) line += format(", seq %u", s.seq);
    if (!s.flags.has(flag::syn) && size > 0) line += format(", seq %u:%u", n.seq, n.seq + static_cast<unsigned>(size));
    if (s.flags.has(flag::rst) || (s.flags.has(flag::fin) && size == 0)) line += format(", seq %u", n.seq);
    if (s.flags.has(flag::ack)) line += format(", ack %u", s.flags.has(flag::syn) ? s.ack : n.ack);
    line += format(", win %u, length %zu", unsigned{s.window}, size);
    if (p.lost) line += " (lost)";
    const bool resent = s.flags.has(flag::syn | flag::ack) && p.at - *first > second / 2;
    out << (s.flags.has(flag::rst) || p.lost || resent ? look.bad(line) : line) << '\n';
  }
}

}  // namespace lab
