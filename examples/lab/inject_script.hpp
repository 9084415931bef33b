// SPDX-License-Identifier: BSL-1.0
// The language of `lab inject`: one line, one segment or one deed of the server's, at a time.
//
//   0.0   41001 S  C+0 -   0  mss=1460,sack,ts=5000,ws=10
//   0.05  41001 .  C+1 S+1 0
//   2.0   accept
//
// It is parsed whole before anything happens; numbers relative to ISNs are resolved when their line's time has come.
#pragma once

#include <cstddef>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "nouns.hpp"

namespace lab {

/// A number relative to something known only later, or absolute.
struct relative_number {
  enum class base { none, client_isn, server_isn, server_clock };
  base from = base::none;
  std::uint32_t offset = 0;
};

/// A segment as written.
struct scripted_segment {
  std::uint16_t port = 0;
  listenq::flags flags{};
  relative_number seq{};
  std::optional<relative_number> ack{};
  std::size_t length = 0;
  std::uint16_t window = 64240;
  tcp_options options{};
  relative_number echo{};  ///< of the timestamp option
  enum class cookie { as_written, latest, wrong };
  cookie fast_open = cookie::as_written;  ///< else made of the cookie that the server gave last
};

struct scripted_line {
  enum class deed { segment, accept, close, close_connection, listen, set, send, recv };
  instant at = 0;
  unsigned line = 0;
  deed what = deed::segment;
  scripted_segment segment{};
  int number = 0;          ///< accept: how many, -1 all; listen: the backlog; set: the value; send, recv: bytes
  std::uint16_t port = 0;  ///< close_connection, send, recv
  tunable which{};         ///< set
};

/// Sorted by time, lines of the same time in the order written. Throws usage_error.
std::vector<scripted_line> read_script(std::istream& in);

/// How the language looks, for --help.
extern const char* const script_help;

}  // namespace lab
