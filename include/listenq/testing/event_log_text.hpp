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
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <listenq/policy/icmp.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/testing/event_log.hpp>
#include <listenq/transport/text.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace listenq::testing {

namespace detail {

inline constexpr std::string_view log_magic = "listenq event log ";
inline constexpr std::string_view log_flags = "FSRP.UEW";
inline constexpr std::array<const char*, 2> log_answers{"no", "yes"};
inline constexpr std::array<const char*, 3> log_sent{"sent", "failed", "later"};
inline constexpr std::array<const char*, 3> log_listened{"ok", "storage_too_small", "no_share"};
inline constexpr std::array<const char*, 4> log_accepted{"ok", "would_block", "aborted", "not_listening"};
inline constexpr std::array<const char*, 3> log_shut{"ok", "no_effect", "not_listening"};
inline constexpr std::array<const char*, 3> log_set{"ok", "not_tunable", "out_of_range"};
inline constexpr std::array<const char*, 3> log_hows{"read", "write", "both"};
inline constexpr std::array<const char*, 3> log_ends{"finished", "reset", "gone"};
inline constexpr std::array<const char*, 8> log_errors{
    "network_unreachable", "host_unreachable", "protocol_unreachable", "port_unreachable",
    "prohibited",          "time_exceeded",    "parameter_problem",    "other"};

/// Words of a line, one after the other.
struct log_words {
  std::string_view rest;
  bool good = true;  ///< false as soon as a word is not what it should be

  std::string_view word() noexcept {
    const std::size_t from = rest.find_first_not_of(' ');
    if (from == std::string_view::npos) {
      rest = {};
      return {};
    }
    rest.remove_prefix(from);
    const std::string_view w = rest.substr(0, rest.find(' '));
    rest.remove_prefix(w.size());
    return w;
  }
  bool at_end() noexcept { return rest.find_first_not_of(' ') == std::string_view::npos; }
  template <class T>
  T number(std::string_view w, int base = 10) noexcept {
    T value{};
    const char* const end = w.data() + w.size();
    const auto [stop, error] = std::from_chars(w.data(), end, value, base);
    good = good && error == std::errc{} && stop == end && !w.empty();
    return value;
  }
  template <class T>
  T number() noexcept {
    return number<T>(word());
  }
  template <class Names>
  std::uint8_t one_of(const Names& names, std::string_view w) noexcept {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (w == names[i]) return static_cast<std::uint8_t>(i);
    }
    good = false;
    return 0;
  }
  endpoint peer() noexcept {
    const std::string_view w = word();
    const std::size_t colon = w.find(':');
    if (colon == std::string_view::npos) good = false;
    endpoint e;
    std::string_view a = w.substr(0, colon);
    for (int i = 0; good && i < 4; ++i) {
      const std::size_t dot = i < 3 ? a.find('.') : a.size();
      if (dot == std::string_view::npos) good = false;
      e.address.value = e.address.value << 8 | number<std::uint8_t>(a.substr(0, dot));
      a.remove_prefix(std::min(a.size(), dot + (i < 3 ? 1 : 0)));
    }
    if (good) e.port = number<std::uint16_t>(w.substr(colon + 1));
    return e;
  }
  four_tuple key() noexcept {
    const endpoint p = peer();
    const endpoint l = peer();
    return {p.address, l.address, p.port, l.port};
  }
};

inline std::string log_text(const four_tuple& key) { return to_text(key.peer()) + ' ' + to_text(key.local()); }

inline std::string log_text(const fast_open_option& o) {
  std::string t(o.experimental ? "xtfo=" : "tfo=");
  for (std::size_t i = 0; i < o.size; ++i) {
    t += "0123456789abcdef"[o.bytes[i] >> 4];
    t += "0123456789abcdef"[o.bytes[i] & 15];
  }
  return t;
}

inline std::string log_text(const segment& s) {
  std::string t = to_text(s.source) + ' ' + to_text(s.destination) + ' ';
  for (std::size_t i = 0; i < 8; ++i) {
    if ((s.flags.bits >> i & 1) != 0) t += log_flags[i];
  }
  if (s.flags.bits == 0) t += '-';
  t.append(" ").append(std::to_string(s.seq)).append(" ").append(std::to_string(s.ack));
  t.append(" ").append(std::to_string(s.window)).append(" ").append(std::to_string(s.payload.size)).append(" ");
  const tcp_options& o = s.options;
  const std::size_t before = t.size();
  const auto option = [&t, before](const std::string& text) {
    if (t.size() > before) t += ',';
    t += text;
  };
  if (o.mss != 0) option("mss=" + std::to_string(o.mss));
  if (o.sack_permitted) option("sack");
  if (o.timestamps) option("ts=" + std::to_string(o.ts_value) + ':' + std::to_string(o.ts_echo));
  if (o.has_window_scale()) option("ws=" + std::to_string(o.window_scale));
  if (o.fast_open.present()) option(log_text(o.fast_open));
  if (t.size() == before) t += '-';
  return t;
}

inline void read_log_option(log_words& w, std::string_view text, tcp_options& o) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? std::string_view{} : text.substr(equals + 1);
  if (name == "mss") {
    o.mss = w.number<std::uint16_t>(value);
  } else if (name == "sack") {
    o.sack_permitted = true;
  } else if (name == "ws") {
    o.window_scale = w.number<std::uint8_t>(value);
  } else if (name == "ts") {
    const std::size_t colon = std::min(value.find(':'), value.size());
    o.timestamps = true;
    o.ts_value = w.number<std::uint32_t>(value.substr(0, colon));
    o.ts_echo = w.number<std::uint32_t>(value.substr(std::min(value.size(), colon + 1)));
  } else if ((name == "tfo" || name == "xtfo") && value.size() % 2 == 0 && value.size() / 2 <= o.fast_open.most) {
    o.fast_open = fast_open_option::request();
    o.fast_open.experimental = name == "xtfo";
    o.fast_open.size = static_cast<std::uint8_t>(value.size() / 2);
    for (std::size_t i = 0; i < value.size(); i += 2) {
      o.fast_open.bytes[i / 2] = w.number<std::uint8_t>(value.substr(i, 2), 16);
    }
  } else {
    w.good = false;
  }
}

inline segment read_log_segment(log_words& w) {
  segment s;
  s.source = w.peer();
  s.destination = w.peer();
  const std::string_view letters = w.word();
  for (const char c : letters == "-" ? std::string_view{} : letters) {
    const std::size_t bit = log_flags.find(c);
    w.good = w.good && bit != std::string_view::npos;
    if (w.good) s.flags.bits = static_cast<std::uint8_t>(s.flags.bits | 1U << bit);
  }
  w.good = w.good && !letters.empty();
  s.seq = w.number<seq_number>();
  s.ack = w.number<seq_number>();
  s.window = w.number<std::uint16_t>();
  s.payload.size = w.number<std::uint16_t>();
  std::string_view options = w.word();
  w.good = w.good && !options.empty();
  while (w.good && options != "-" && !options.empty()) {
    const std::size_t comma = std::min(options.find(','), options.size());
    read_log_option(w, options.substr(0, comma), s.options);
    options.remove_prefix(std::min(options.size(), comma + 1));
  }
  return s;
}

inline constexpr std::array<const char*, verdict_count> log_verdicts = [] {
  std::array<const char*, verdict_count> names{};
  for (std::size_t i = 0; i < verdict_count; ++i) names[i] = name_of(static_cast<verdict>(i));
  return names;
}();
inline constexpr std::array<const char*, 5> log_icmp{
    name_of(icmp_verdict::ended), name_of(icmp_verdict::noted), name_of(icmp_verdict::ignored),
    name_of(icmp_verdict::wrong_number), name_of(icmp_verdict::no_request)};

}  // namespace detail

/// The line of an entry, without its end.
inline std::string to_text(const log_entry& e) {
  using namespace detail;
  std::string t = std::to_string(e.at) + ' ' + name_of(e.kind);
  const auto add = [&t](const std::string& word) { t.append(" ").append(word); };
  const auto number = [&add](std::uint32_t n) { add(std::to_string(n)); };
  switch (e.kind) {
    case log_kind::listen:
      add(std::to_string(static_cast<std::int32_t>(e.what)));
      break;
    case log_kind::in:
      add(log_text(e.segment));
      if (e.facts.isn != 0) add("isn=" + std::to_string(e.facts.isn));
      if (e.facts.proven) add("proven");
      if (e.facts.refused) add("refused");
      break;
    case log_kind::out:
      add(log_text(e.segment));
      break;
    case log_kind::set:
      add(name_of(static_cast<tunable>(e.what)));
      number(e.value);
      break;
    case log_kind::shutdown:
      add(log_hows[e.what]);
      break;
    case log_kind::child:
    case log_kind::reset:
    case log_kind::gone:
      add(log_text(e.key));
      break;
    case log_kind::settled:
      add(log_text(e.key) + ' ' + log_ends[e.what]);
      break;
    case log_kind::icmp:
      add(log_text(e.key) + ' ' + std::to_string(e.value) + ' ' + log_errors[e.what]);
      break;
    case log_kind::tick:
    case log_kind::accept:
    case log_kind::close:
      break;
  }
  if (!e.decided) return t;
  t += " =";
  switch (e.kind) {
    case log_kind::listen:
      add(log_listened[e.result]);
      break;
    case log_kind::in: {
      std::array<char, 8> hex{};
      const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), e.stages.bits, 16).ptr;
      add(name_of(e.verdict()));
      add(std::string(hex.data(), end));
      break;
    }
    case log_kind::out:
      add(log_sent[e.result]);
      break;
    case log_kind::child:
    case log_kind::gone:
    case log_kind::settled:
      add(log_answers[e.result]);
      break;
    case log_kind::reset:
      break;
    case log_kind::tick:
      for (const std::uint32_t n : e.counts) number(n);
      if (e.result != 0) add("later");
      break;
    case log_kind::accept:
      add(log_accepted[e.result]);
      if (e.key != four_tuple{}) add(log_text(e.key));
      break;
    case log_kind::shutdown:
      add(log_shut[e.result]);
      [[fallthrough]];
    case log_kind::close:
      number(e.counts[0]);
      number(e.counts[1]);
      break;
    case log_kind::set:
      add(log_set[e.result]);
      break;
    case log_kind::icmp:
      add(log_icmp[e.result]);
      break;
  }
  return t;
}

/// Reads one line. Nothing, if it is not an entry from its first letter to its last.
inline std::optional<log_entry> read_log_entry(std::string_view line) {
  using namespace detail;
  log_entry e;
  log_words w{line};
  e.at = w.number<instant>();
  const std::string_view kind = w.word();
  std::size_t k = 0;
  while (k < log_kind_count && kind != name_of(static_cast<log_kind>(k))) ++k;
  if (k == log_kind_count) return std::nullopt;
  e.kind = static_cast<log_kind>(k);
  std::optional<std::string_view> pending;  // a word that was looked at and not used
  switch (e.kind) {
    case log_kind::listen:
      e.what = static_cast<std::uint32_t>(w.number<std::int32_t>());
      break;
    case log_kind::in:
    case log_kind::out:
      e.segment = read_log_segment(w);
      while (w.good && e.kind == log_kind::in && !w.at_end()) {
        const std::string_view more = w.word();
        if (more == "proven") {
          e.facts.proven = true;
        } else if (more == "refused") {
          e.facts.refused = true;
        } else if (more.starts_with("isn=")) {
          e.facts.isn = w.number<seq_number>(more.substr(4));
        } else {
          pending = more;
          break;
        }
      }
      break;
    case log_kind::set: {
      std::array<const char*, tunable_count> names{};
      for (std::size_t i = 0; i < tunable_count; ++i) names[i] = name_of(static_cast<tunable>(i));
      e.what = w.one_of(names, w.word());
      e.value = w.number<std::uint32_t>();
      break;
    }
    case log_kind::shutdown:
      e.what = w.one_of(log_hows, w.word());
      break;
    case log_kind::child:
    case log_kind::reset:
    case log_kind::gone:
      e.key = w.key();
      break;
    case log_kind::settled:
      e.key = w.key();
      e.what = w.one_of(log_ends, w.word());
      break;
    case log_kind::icmp:
      e.key = w.key();
      e.value = w.number<std::uint32_t>();
      e.what = w.one_of(log_errors, w.word());
      break;
    case log_kind::tick:
    case log_kind::accept:
    case log_kind::close:
      break;
  }
  if (!pending && w.at_end()) return w.good ? std::optional(e) : std::nullopt;
  e.decided = (pending ? *pending : w.word()) == "=";
  w.good = w.good && e.decided;
  switch (e.kind) {
    case log_kind::listen:
      e.result = w.one_of(log_listened, w.word());
      break;
    case log_kind::in:
      e.result = w.one_of(log_verdicts, w.word());
      e.stages.bits = w.number<std::uint32_t>(w.word(), 16);
      break;
    case log_kind::out:
      e.result = w.one_of(log_sent, w.word());
      break;
    case log_kind::child:
    case log_kind::gone:
    case log_kind::settled:
      e.result = w.one_of(log_answers, w.word());
      break;
    case log_kind::reset:
      break;
    case log_kind::tick:
      for (std::uint32_t& n : e.counts) n = w.number<std::uint32_t>();
      if (!w.at_end()) {
        e.result = 1;
        w.good = w.good && w.word() == "later";
      }
      break;
    case log_kind::accept:
      e.result = w.one_of(log_accepted, w.word());
      if (!w.at_end()) e.key = w.key();
      break;
    case log_kind::shutdown:
      e.result = w.one_of(log_shut, w.word());
      [[fallthrough]];
    case log_kind::close:
      e.counts[0] = w.number<std::uint32_t>();
      e.counts[1] = w.number<std::uint32_t>();
      break;
    case log_kind::set:
      e.result = w.one_of(log_set, w.word());
      break;
    case log_kind::icmp:
      e.result = w.one_of(log_icmp, w.word());
      break;
  }
  return w.good && w.at_end() ? std::optional(e) : std::nullopt;
}

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
