// SPDX-License-Identifier: BSL-1.0
// Event logs as text, version 1: a line for each entry, so that a failing run can be read, cut and edited by hand.
//
//   listenq event log 1
//   note composition linux-6.18                     anything that a reader wants to be told, any number of times
//   # a comment; empty lines are skipped
//   0 listen 128 = ok
//   12 in 10.0.0.9:1025 10.0.0.1:80 S 7 0 64240 0 mss=1460,sack,ts=5:0,ws=7 = admitted 400
//   12 out 10.0.0.1:80 10.0.0.9:1025 S. 99 8 64240 0 mss=1460 = sent
//   40 in 10.0.0.9:1025 10.0.0.1:80 . 8 100 502 0 - proven = promoted 0
//   40 child 10.0.0.9:1025 10.0.0.1:80 = yes
//   50 accept = ok 10.0.0.9:1025 10.0.0.1:80
//   90 set abort_on_overflow 1 = ok
//   1000012 tick = 1 1 0
//   2000000 gone 10.0.0.9:1025 10.0.0.1:80 = no     settled ... reset, icmp ... 99 host_unreachable
//   3000000 close = 0 0                             shutdown both = ok 0 0
//
// First the time in microseconds. A segment is source, destination, flags (of FSRP.UEW, - for none), seq, ack, window,
// bytes of payload, options (- for none; tfo=0011 is a fast-open cookie, tfo= asks for one, xtfo the experimental
// kind), then what is special: isn=N, proven, refused. Behind the `=` stands what came of it, stages in hexadecimal. An
// `in` without that is of a capture.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/testing/event_log.hpp>
#include <listenq/testing/event_log/read_entry.hpp>
#include <listenq/testing/event_log/words.hpp>
#include <listenq/testing/event_log/write_entry.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace listenq::testing {

namespace detail {
inline constexpr std::string_view log_magic = "listenq event log ";
}  // namespace detail

/// Keys and values of the `note` lines.
using log_notes = std::vector<std::pair<std::string, std::string>>;

/// The value of the last note of that key; empty if there is none.
inline std::string note_of(const log_notes& notes, std::string_view key) {
  std::string value;
  for (const auto& [k, v] : notes) {
    if (k == key) value = v;
  }
  return value;
}

/// The lines before the first entry. A key is a word; neither it nor a value has line ends.
inline std::string log_header(const log_notes& notes) {
  std::string t = std::string(detail::log_magic) + "1\n";
  for (const auto& [key, value] : notes) t.append("note ").append(key).append(" ").append(value).append("\n");
  return t;
}

enum class log_error : std::uint8_t { none, not_a_log, unknown_version, bad_line };
constexpr const char* name_of(log_error e) noexcept {
  constexpr std::array<const char*, 4> names{"none", "not_a_log", "unknown_version", "bad_line"};
  return names[static_cast<std::size_t>(e)];
}

struct log_file {
  log_error error = log_error::none;
  std::size_t line = 0;  ///< the one with the error, from 1
  log_notes notes{};
  std::vector<log_entry> entries{};  ///< those before the error
};

/// Reads a whole log. At the first line that is wrong it stops and says which.
inline log_file read_log(std::string_view text) {
  log_file f;
  const auto fail = [&f](log_error e) {
    f.error = e;
    return f;
  };
  for (f.line = 1; !text.empty() || f.line == 1; ++f.line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (f.line == 1) {
      if (!line.starts_with(detail::log_magic)) return fail(log_error::not_a_log);
      if (line.substr(detail::log_magic.size()) != "1") return fail(log_error::unknown_version);
    } else if (line.starts_with("note ")) {
      detail::log_words w{line.substr(5)};
      const std::string_view key = w.word();
      f.notes.emplace_back(key, w.rest.substr(std::min(w.rest.size(), std::size_t{1})));
    } else if (!line.empty() && line.front() != '#') {
      const std::optional<log_entry> e = read_log_entry(line);
      if (!e) return fail(log_error::bad_line);
      f.entries.push_back(*e);
    }
  }
  f.line = 0;
  return f;
}

}  // namespace listenq::testing
