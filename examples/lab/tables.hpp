// SPDX-License-Identifier: BSL-1.0
// What the tools of the articles print: netstat's socket table, the lines of /proc/net/tcp behind it, netstat -s,
// tcpdump's lines.
#pragma once

#include <iosfwd>
#include <map>
#include <string>

#include "nouns.hpp"
#include "style.hpp"

namespace lab {

/// As `netstat -a -t -n`. A listening socket's queue is shown as 0 there, whatever it holds: net-tools does that.
void print_netstat(std::ostream& out, const snapshot& s, const style& look);
/// As /proc/net/tcp: that is where netstat reads, and where a request appears as a line with state 03.
void print_proc(std::ostream& out, const snapshot& s, const style& look);
/// As `netstat -s`, the lines that are not 0; the BSDs' counters by their names in the source.
void print_counters(std::ostream& out, const counts& counters);
/// What the kernel does not tell: which rule made it so, how often, and the counters that it moved.
void print_causes(std::ostream& out, const std::vector<cause_line>& causes);
/// One client's packets as `tcpdump -nn` prints them, with seconds since its first SYN; options left out.
void print_trace(std::ostream& out, const record& r, std::uint16_t port, const style& look);

}  // namespace lab
